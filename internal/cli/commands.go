package cli

import "github.com/spf13/cobra"

// commands are moncae's commands, in the order of a user's way through them.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.newSearch(), a.newFront(), a.newFinetune(), a.newExport(), a.newCompress(), a.newDecompress(), a.newClassify(),
		a.newReport(), a.newServe(), a.newData(), a.newBench(), a.newDoctor(), a.newSelftest(), a.newVersion(),
	}
}

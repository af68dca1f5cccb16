package cli

import "github.com/spf13/cobra"

// Command is the command line as a tree of commands, for the generator of
// docs/reference. Main runs it.
func Command() *cobra.Command {
	root := (&app{Streams: System()}).root()
	root.InitDefaultCompletionCmd()
	root.DisableAutoGenTag = true
	return root
}

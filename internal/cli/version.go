package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"moncae/internal/version"
)

func (a *app) newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print which moncae this is",
		Example: "  moncae version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Commit  string `json:"commit"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{version.Number(), version.Commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			if asJSON {
				return a.printJSON(v)
			}
			_, err := fmt.Fprint(a.Out, versionLine())
			return err
		},
	}
	addJSON(cmd, &asJSON)
	return cmd
}

// versionLine is what version and --version print.
func versionLine() string {
	return fmt.Sprintf("moncae %s (%s, %s/%s)\n", version.Number(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

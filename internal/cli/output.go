package cli

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moncae/internal/durable"
	"moncae/internal/fault"
)

// addOverwrite adds the flag without which nothing that exists is replaced.
func (a *app) addOverwrite(f *pflag.FlagSet) {
	f.BoolVar(&a.overwrite, "overwrite", false, "replace what is there already")
}

// vacant refuses, before any work, the places of files that exist; "" is none.
func (a *app) vacant(paths ...string) error {
	for _, p := range paths {
		if p == "" {
			continue
		}
		if err := durable.Vacant(p, a.overwrite); err != nil {
			return err
		}
	}
	return nil
}

// output writes a file that a flag named, whole or not at all, and removes what
// killed processes left beside it.
func (a *app) output(path string, content []byte) error {
	if err := a.vacant(path); err != nil {
		return err
	}
	err := a.FS.SweepStale(path)
	if err == nil {
		err = a.FS.ReplaceBytes(path, content)
	}
	if errors.Is(err, os.ErrNotExist) {
		return fault.Usagef("%s: its folder doesn't exist", path)
	}
	return err
}

func addJSON(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "print one JSON document instead of text")
}

func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

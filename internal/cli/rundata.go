package cli

import (
	"github.com/spf13/pflag"

	"moncae/internal/fault"
)

// keepsPreprocessing refuses the flags that would prepare a run's images otherwise.
func keepsPreprocessing(path string, f *pflag.FlagSet) error {
	for _, name := range []string{"image-size", "resize", "channels", "background", "range", "test-fraction"} {
		if flag := f.Lookup(name); flag != nil && flag.Changed {
			return fault.Usagef("--%s can't be given for a run: it keeps the preprocessing that it began with (see %s/run.json)", name, path)
		}
	}
	return nil
}

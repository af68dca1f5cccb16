package cli

import (
	"errors"
	"os"

	"moncae/internal/fault"
)

// output writes a file that a flag named, whole or not at all, and removes what
// killed processes left beside it.
func (a *app) output(path string, content []byte) error {
	err := a.FS.SweepStale(path)
	if err == nil {
		err = a.FS.ReplaceBytes(path, content)
	}
	if errors.Is(err, os.ErrNotExist) {
		return fault.Usagef("%s: its folder doesn't exist", path)
	}
	return err
}

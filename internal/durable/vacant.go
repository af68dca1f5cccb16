package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/fault"
)

// Vacant refuses a path where something is, but an empty folder, unless it may be
// overwritten.
func Vacant(path string, overwrite bool) error {
	_, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil: // a file where a folder above it should be
		return fault.Usagef("%w", err)
	case overwrite:
		return nil
	}
	if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
		return nil
	}
	return fault.Usagef("%s is there already, and is replaced with --overwrite only: add it, or name another place", path)
}

// VacantFolder is Vacant for a folder that takes the place of what is there: of
// an earlier one only, which holds files with these endings and no other.
func VacantFolder(path string, overwrite bool, endings ...string) error {
	err := filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && p == path:
			return nil
		case err != nil:
			return fault.Usagef("%w", err)
		case e.IsDir() || slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(p, end) }):
			return nil
		}
		return fault.Usagef("%s holds other files (%s) and is not replaced: name another place", path, filepath.Base(p))
	})
	if err != nil {
		return err
	}
	return Vacant(path, overwrite)
}

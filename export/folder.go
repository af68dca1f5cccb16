package export

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"moncae/internal/durable"
	"moncae/internal/fault"
)

// content is a file to be written.
type content struct {
	name  string
	bytes []byte
}

// replaceable refuses to take the place of something that no export wrote.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fault.Usagef("%w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, certificateName)); err != nil {
		return fault.Usagef("%s holds other files (no %s) and is not replaced: export to another folder, or empty it", dir, certificateName)
	}
	return nil
}

// writeDir writes the files to a folder beside the target and puts it in the
// target's place.
func writeDir(files durable.FS, target string, contents []content) (err error) {
	out := filepath.Dir(target)
	pattern := "." + filepath.Base(target) + durable.TempMark
	if err := sweep(out, pattern); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(out, pattern)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	whole, old := filepath.Join(temp, "new"), filepath.Join(temp, "old")
	if err := files.Mkdir(whole); err != nil {
		return err
	}
	for _, c := range contents {
		if err := files.ReplaceBytes(filepath.Join(whole, c.name), c.bytes); err != nil {
			return err
		}
	}
	if err := os.Rename(target, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(whole, target); err != nil {
		return errors.Join(err, os.Rename(old, target))
	}
	return files.SyncDir(out)
}

// sweep removes what an export that was killed has left behind.
func sweep(out, prefix string) error {
	entries, err := os.ReadDir(out)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(out, e.Name())))
		}
	}
	return err
}

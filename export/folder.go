package export

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

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

// writeDir puts a folder of the files in the target's place.
func writeDir(files durable.FS, target string, contents []content) error {
	return files.ReplaceFolder(target, func(dir string) error {
		for _, c := range contents {
			if err := files.ReplaceBytes(filepath.Join(dir, c.name), c.bytes); err != nil {
				return err
			}
		}
		return nil
	})
}

package export

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"moncae/internal/certificate"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

// content is a file to be written.
type content struct {
	name  string
	bytes []byte
}

// replaceable refuses to take the place of something that no export wrote.
func replaceable(dir string, overwrite bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fault.Usagef("%w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, certificate.Name)); err != nil {
		return fault.Usagef("%s holds other files (no %s) and is not replaced: export to another folder, or empty it", dir, certificate.Name)
	}
	return durable.Vacant(dir, overwrite)
}

// writeDir puts a folder of the files in the target's place.
func writeDir(disk durable.FS, target string, contents []content) (err error) {
	place, err := disk.Claim(target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	for _, c := range contents {
		if err := place.WriteBytes(c.name, c.bytes); err != nil {
			return err
		}
	}
	return place.Commit()
}

// openFolder makes the folder of the exports, keeps it for this process, and removes what
// killed ones left in it.
func openFolder(disk durable.FS, dir string) (release func(), err error) {
	if err := disk.Mkdir(dir); err != nil {
		return nil, fault.Usagef("export: %w", err)
	}
	if release, err = durable.LockFolder(dir); err != nil {
		return nil, err
	}
	if err := disk.Sweep(dir); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

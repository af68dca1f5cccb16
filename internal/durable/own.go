package durable

import (
	"errors"
	"io/fs"
	"os"

	"moncae/internal/fault"
)

// OpenOwn opens or makes a file of ours that is changed in place, for reading and
// writing. The folder may come from a stranger: a symbolic link, a second name of
// a file, a pipe or a device is refused, for writing would change what lies
// elsewhere.
func OpenOwn(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err == nil {
		err = regular(path, info)
	}
	if ignoreMissing(err) != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o666)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func regular(path string, info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return fault.Usagef("%s is a symbolic link, and is not written through: remove it, or put the file itself there", path)
	case !info.Mode().IsRegular():
		return fault.Usagef("%s is no regular file: remove it", path)
	case links(info) > 1:
		return fault.Usagef("%s is also a file elsewhere (a hard link), which would change with it: copy the folder with `cp -r`, and use the copy", path)
	}
	return nil
}

// OwnFolder makes the folder dir, as Mkdir does, and refuses a symbolic link in its
// place, which may lead to a stranger's choice.
func (fs FS) OwnFolder(dir string) error {
	if err := NoLink(dir); err != nil {
		return err
	}
	return fs.Mkdir(dir)
}

// NoLink refuses a symbolic link in a folder's place.
func NoLink(dir string) error {
	if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return fault.Usagef("%s is a symbolic link, and is not written through: remove it, or put the folder itself there", dir)
	}
	return nil
}

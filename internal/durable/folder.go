package durable

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// ReplaceFolder gives the folder at path the content that fill puts into an empty
// one: it is filled beside its place and renamed. What calls that were killed have
// left beside it is removed, so two may not be at work on one folder.
func (fs FS) ReplaceFolder(path string, fill func(dir string) error) (err error) {
	parent := filepath.Dir(path)
	pattern := "." + filepath.Base(path) + TempMark
	if err := removeAll(parent, pattern); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, pattern)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	whole, old := filepath.Join(temp, "new"), filepath.Join(temp, "old")
	if err := fs.Mkdir(whole); err != nil {
		return err
	}
	if err := fill(whole); err != nil {
		return err
	}
	if err := ignoreMissing(os.Rename(path, old)); err != nil {
		return err
	}
	if err := os.Rename(whole, path); err != nil {
		return errors.Join(err, os.Rename(old, path))
	}
	return fs.SyncDir(parent)
}

// removeAll removes what begins with prefix in a folder.
func removeAll(dir, prefix string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

//go:build !linux

package durable

import (
	"errors"
	"os"
)

func exchange(string, string) error { return errors.ErrUnsupported }

func renameNew(from, to string) error {
	if isFolder(to) {
		if err := os.Remove(to); err != nil { // only an empty one goes
			return errors.Join(os.ErrExist, err)
		}
	}
	return renameLooking(from, to)
}

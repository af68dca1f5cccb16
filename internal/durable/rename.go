package durable

import "os"

// renameLooking renames where nothing is; another's file may come in between.
func renameLooking(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: os.ErrExist}
	}
	return os.Rename(from, to)
}

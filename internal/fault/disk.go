package fault

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// onDisk is what the system's error of a path means.
func onDisk(err error) string {
	for _, m := range []struct {
		is   error
		says string
	}{
		{fs.ErrNotExist, "there is no such file or folder"},
		{fs.ErrPermission, "it may not be read or written: its permissions, or those of a folder above it, are not yours"},
		{fs.ErrExist, "it is there already"},
		{syscall.ELOOP, "it is a link that leads back to itself, or through too many links"},
		{syscall.ENOTDIR, "a file stands where a folder is wanted"},
		{syscall.EISDIR, "a folder stands where a file is wanted"},
		{syscall.ENAMETOOLONG, "the name is too long for the disk"},
		{syscall.EROFS, "it lies on a disk that is only read"},
	} {
		if errors.Is(err, m.is) {
			return m.says
		}
	}
	return replace(err.Error(), err)
}

// withoutPath is what stands before an error, without the path that the error names itself.
func withoutPath(head string, err error) string {
	if e, ok := err.(*fs.PathError); ok { //nolint:errorlint // replace walks the chain
		return strings.TrimSuffix(head, e.Path+": ")
	}
	return head
}

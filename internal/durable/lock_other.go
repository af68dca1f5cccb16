//go:build !unix || solaris || aix

package durable

import (
	"errors"
	"io/fs"
	"os"
)

// noFollow is not to be had here: OpenOwn looks before.
const noFollow = 0

// links is not told here.
func links(fs.FileInfo) uint64 { return 1 }

// TryLock trusts the user on systems whose locks moncae doesn't know.
func TryLock(*os.File) error { return nil }

func claim(*os.File) (release func(), err error) { return func() {}, nil }

// tryStale leaves everything alone: whether its process lives can't be told.
func tryStale(*os.File) error { return errors.ErrUnsupported }

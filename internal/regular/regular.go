// Package regular opens what must be a file. A folder, a pipe, a device or a socket in its
// place is an error of the kind fault.Usage, at once: os.Open waits for a pipe's writer,
// and a device may have no end.
package regular

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"moncae/internal/fault"
)

// Open opens a file to be read.
func Open(path string) (*os.File, error) { return open(path, Check) }

// OpenStream is Open, but takes a pipe that the shell has opened already, too: <(command),
// or /dev/stdin behind a bar. It is read once, from its beginning.
func OpenStream(path string) (*os.File, error) {
	return open(path, func(path string, info fs.FileInfo) error {
		if info.Mode()&fs.ModeNamedPipe != 0 && isOpened(path) {
			return nil
		}
		return Check(path, info)
	})
}

// isOpened tells by its name whether a file is one that this process has open.
func isOpened(path string) bool {
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

func open(path string, check func(string, fs.FileInfo) error) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which waits for no writer
	if err != nil {
		if info, serr := os.Stat(path); serr == nil { // a socket can't be opened
			err = errors.Join(check(path, info), err)
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ReadFile is a file's content.
func ReadFile(path string) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// Check refuses what is no file.
func Check(path string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return fault.Usagef("%s is a folder; a file is wanted", path)
	case mode&fs.ModeNamedPipe != 0:
		return fault.Usagef("%s is a pipe; a file is wanted: write to one what comes through the pipe, and name that", path)
	}
	return fault.Usagef("%s is a device or a socket; a file is wanted", path)
}

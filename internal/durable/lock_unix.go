//go:build unix && !solaris && !aix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noFollow makes opening a symbolic link fail, and opening a pipe return.
const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// links is how many names a file has.
func links(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink) //nolint:unconvert // it is narrower on other systems
	}
	return 1
}

// TryLock takes the lock that belongs to the open file, or gives ErrHeld.
func TryLock(f *os.File) error { return tryLock(int(f.Fd())) }

func tryLock(fd int) error {
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrHeld
	}
	return err
}

// claim locks f until release is called, though f be closed before.
func claim(f *os.File) (release func(), err error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	release = func() { _ = unix.Close(fd) } // nothing was written through it
	if err := tryLock(fd); errors.Is(err, ErrHeld) {
		release()
		return nil, err
	}
	return release, nil // where a file system has no locks, nobody sweeps either
}

// tryStale takes the lock of a file whose process ended.
func tryStale(f *os.File) error { return TryLock(f) }

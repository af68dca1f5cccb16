package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"moncae/internal/fault"
)

// TempMark is in the names of temporary files and folders, which a crash may leave
// behind.
const TempMark = ".tmp-"

// ErrHeld says that another process holds a lock.
var ErrHeld = errors.New("held by another process")

// createTemp makes a file beside path, with its permissions where it is there, that
// SweepStale leaves alone until release is called.
func (fs FS) createTemp(path string) (f *os.File, release func(), err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, nil, fault.Usagef("%s is no regular file: name another", path)
	}
	old := err == nil
	for {
		if err := fs.fault("create", path); err != nil {
			return nil, nil, unwritable(err, path)
		}
		name := fmt.Sprintf("%s%s%d", path, TempMark, rand.Uint32())
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, nil, unwritable(err, path)
		}
		fs.trace(Step{Kind: "create", Path: name})
		if old {
			err = f.Chmod(info.Mode().Perm())
		}
		if err == nil {
			release, err = hold(f)
		}
		if err == nil {
			return f, release, nil
		}
		if err := errors.Join(f.Close(), fs.discard(name)); err != nil {
			return nil, nil, err
		}
		if !errors.Is(err, ErrHeld) {
			return nil, nil, err
		}
	}
}

// hold claims f, and gives ErrHeld where a sweep came first.
func hold(f *os.File) (release func(), err error) {
	if release, err = claim(f); err != nil {
		return nil, err
	}
	if err := stillNamed(f); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// stillNamed gives ErrHeld where f's name has become another file's, or nothing's.
func stillNamed(f *os.File) error {
	ours, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(f.Name())
	if err == nil && os.SameFile(ours, named) {
		return nil
	}
	if ignoreMissing(err) != nil {
		return err
	}
	return ErrHeld
}

// SweepStale removes what processes that are no more left of Replace of path. It is
// safe while others write to path. What it may not remove it leaves.
func (FS) SweepStale(path string) error {
	dir, prefix := filepath.Dir(path), filepath.Base(path)+TempMark
	entries, err := os.ReadDir(dir)
	if err != nil {
		return unwritable(err, path)
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || strings.Trim(number, "0123456789") != "" || !e.Type().IsRegular() {
			continue
		}
		if err := sweepStale(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("what an ended process left behind: %w", err)
		}
	}
	return nil
}

func sweepStale(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return ignoreMissing(err)
	}
	if tryStale(f) != nil { // held, or there are no locks here
		return f.Close()
	}
	return errors.Join(ignoreMissing(os.Remove(name)), f.Close())
}

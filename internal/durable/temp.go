package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TempMark is in the names of temporary files, which a crash may leave behind.
const TempMark = ".tmp-"

// ErrHeld says that another process holds a lock.
var ErrHeld = errors.New("held by another process")

// createTemp makes a file beside path that SweepStale leaves alone until release
// is called.
func createTemp(path string) (f *os.File, release func(), err error) {
	for {
		f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+TempMark)
		if err != nil {
			return nil, nil, err
		}
		release, err := hold(f)
		if err == nil {
			return f, release, nil
		}
		if err := errors.Join(f.Close(), ignoreMissing(os.Remove(f.Name()))); err != nil {
			return nil, nil, err
		}
		if !errors.Is(err, ErrHeld) {
			return nil, nil, err
		}
	}
}

// MkdirTemp makes a folder beside path that SweepStale leaves alone until release
// is called.
func (FS) MkdirTemp(path string) (dir string, release func(), err error) {
	for {
		dir, err := os.MkdirTemp(filepath.Dir(path), filepath.Base(path)+TempMark)
		if err != nil {
			return "", nil, err
		}
		f, err := os.Open(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		release, err := hold(f)
		if err := errors.Join(err, f.Close()); err == nil {
			return dir, release, nil
		} else if !errors.Is(err, ErrHeld) {
			return "", nil, err
		}
	}
}

// hold claims f, and gives ErrHeld where a sweep came first.
func hold(f *os.File) (release func(), err error) {
	if release, err = claim(f); err != nil {
		return nil, err
	}
	ours, err := f.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Stat(f.Name()); err == nil && os.SameFile(ours, named) {
			return release, nil
		}
	}
	release()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = ErrHeld
	}
	return nil, err
}

// SweepStale removes what processes that are no more left of Replace and MkdirTemp
// of path. It is safe while others write to path. What it may not remove it
// leaves.
func (FS) SweepStale(path string) error {
	dir, prefix := filepath.Dir(path), filepath.Base(path)+TempMark
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || strings.Trim(number, "0123456789") != "" || !e.IsDir() && !e.Type().IsRegular() {
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
	return errors.Join(os.RemoveAll(name), f.Close())
}

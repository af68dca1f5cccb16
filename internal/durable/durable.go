// Package durable writes files and folders that survive a crash: whole, or not at
// all.
//
// Replace writes a temporary file beside the target, syncs it, renames it over
// the target and syncs the folder: after a crash at any moment the target holds
// the old content or the new. A Place does as much for a folder, and keeps a second
// writer of it away. Log appends to a file and returns when the bytes are on the
// disk; a failed append leaves the file as it was, or the Log refuses further use.
//
// A failed write is an error of the whole, though what writes drops it or panics
// over it. Files and folders get the permissions that the umask leaves.
//
// Every call costs one or two fsyncs, some milliseconds on a disk.
package durable

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"moncae/internal/fault"
)

// Together is how many files are best written at once: their syncs share the
// disk's time, whatever the number of cores.
const Together = 16

// FS is the file system that is written to. Its zero value is the operating
// system's.
type FS struct {
	// Fault, where set, is asked before every step that changes the disk; its error
	// stands for the step's. path is what the step is for: of a temporary file the
	// target. Several goroutines may ask at once. Tests inject failures with it.
	Fault func(step, path string) error
	// Trace, where set, is told of every step that was done, before the next is.
	Trace func(Step)
}

// Step is one change of the disk.
type Step struct {
	Kind string // create, write, sync, rename, exchange, syncdir, mkdir, truncate, remove
	Path string
	To   string // of rename and exchange
	At   int64  // of write: where; of truncate: the size
	Data []byte // of write; valid during the call
}

func (fs FS) fault(step, path string) error {
	if fs.Fault == nil {
		return nil
	}
	return fs.Fault(step, path)
}

func (fs FS) trace(s Step) {
	if fs.Trace != nil {
		fs.Trace(s)
	}
}

// did tells of the step where it succeeded.
func (fs FS) did(s Step, err error) error {
	if err == nil {
		fs.trace(s)
	}
	return err
}

// Mkdir makes a folder and its parents, and syncs the folders that these stand in.
func (fs FS) Mkdir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if info.IsDir() {
			return nil
		}
		return inTheWay(dir)
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := fs.Mkdir(parent); err != nil {
			return err
		}
	}
	switch err := fs.mkdir(dir, dir); {
	case err == nil, isFolder(dir): // another may have come first
	case errors.Is(err, os.ErrExist): // a link to nowhere
		return inTheWay(dir)
	default:
		return unwritable(err, dir)
	}
	return fs.SyncDir(parent)
}

// inTheWay is what is in the place of a folder, and is none.
func inTheWay(dir string) error {
	return fault.Usagef("%w: name another place, or move away what is there", &os.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR})
}

// mkdir makes the folder dir, for what will be target.
func (fs FS) mkdir(dir, target string) error {
	if err := fs.fault("mkdir", target); err != nil {
		return err
	}
	return fs.did(Step{Kind: "mkdir", Path: dir}, os.Mkdir(dir, 0o777))
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// SyncDir makes the names in a folder durable.
func (fs FS) SyncDir(dir string) error { return fs.syncDir(dir, dir) }

func (fs FS) syncDir(dir, target string) error {
	if err := fs.fault("syncdir", target); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return fs.did(Step{Kind: "syncdir", Path: dir}, errors.Join(d.Sync(), d.Close()))
}

func (fs FS) rename(from, to string) error {
	if err := fs.fault("rename", to); err != nil {
		return err
	}
	return fs.did(Step{Kind: "rename", Path: from, To: to}, os.Rename(from, to))
}

// Move gives a file another place on the same disk, and syncs both folders. One that
// isn't there is an error that os.ErrNotExist tells.
func (fs FS) Move(from, to string) error {
	if err := fs.rename(from, to); err != nil {
		return err
	}
	return errors.Join(fs.SyncDir(filepath.Dir(to)), fs.SyncDir(filepath.Dir(from)))
}

// Remove removes a file, and syncs the folder in which it was.
func (fs FS) Remove(path string) error {
	if err := fs.fault("remove", path); err != nil {
		return err
	}
	if err := fs.did(Step{Kind: "remove", Path: path}, os.Remove(path)); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(path))
}

// discard removes what is of no use any more, if it is there.
func (fs FS) discard(path string) error {
	return fs.did(Step{Kind: "remove", Path: path}, os.RemoveAll(path))
}

// Sweep removes the temporary files and folders that a crash left in a folder in
// which nobody else writes.
func (fs FS) Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if temporary(e) {
			if err := fs.discard(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// temporary tells whether an entry has a name that only this package gives.
func temporary(e fs.DirEntry) bool {
	_, number, found := strings.Cut(e.Name(), TempMark)
	switch {
	case !found:
		return false
	case e.IsDir():
		return strings.HasPrefix(e.Name(), ".") && number == placeEnd
	}
	return e.Type().IsRegular() && number != "" && strings.Trim(number, "0123456789") == ""
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

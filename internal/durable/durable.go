// Package durable writes files that survive a crash: whole, or not at all.
//
// Replace writes a temporary file beside the target, syncs it, renames it over
// the target and syncs the folder: after a crash at any moment the target holds
// the old content or the new. ReplaceFolder does as much for a folder, but that it
// may be missing between two renames. Log appends to a file and returns when the bytes
// are on the disk; a failed append leaves the file as it was, or the Log refuses
// further use.
//
// Every call costs one or two fsyncs, some milliseconds on a disk.
package durable

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// FS is the file system that a run is written to. Its zero value is the
// operating system's.
type FS struct {
	// Fault, where set, is asked before every step that changes the disk ("create",
	// "write", "sync", "rename", "syncdir", "mkdir", "truncate"); its error stands
	// for the step's. Tests inject failures with it.
	Fault func(step, path string) error
}

func (fs FS) fault(step, path string) error {
	if fs.Fault == nil {
		return nil
	}
	return fs.Fault(step, path)
}

// Writer writes a file from its beginning to its end. WriteAt replaces bytes that
// were written before.
type Writer interface {
	io.Writer
	io.WriterAt
}

// Replace gives the file at path the content that write produces. A device or a
// pipe is refused: renaming would do away with it.
func (fs FS) Replace(path string, write func(Writer) error) (err error) {
	dir := filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: name another", path)
	}
	if err := fs.fault("create", path); err != nil {
		return err
	}
	f, release, err := createTemp(path)
	if err != nil {
		return err
	}
	defer release()
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(f.Name())))
		}
	}()
	if err := fs.fill(f, path, write); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := fs.fault("rename", path); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return fs.SyncDir(dir)
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (fs FS) fill(f *os.File, path string, write func(Writer) error) error {
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	to := faulty{fs, f, path}
	b := buffered{bufio.NewWriterSize(to, 1<<16), to}
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := fs.fault("sync", path); err != nil {
		return err
	}
	return f.Sync()
}

// buffered is the Writer of a file that is being made.
type buffered struct {
	*bufio.Writer
	to faulty
}

func (b buffered) WriteAt(p []byte, at int64) (int, error) {
	if err := b.Flush(); err != nil {
		return 0, err
	}
	if err := b.to.fs.fault("write", b.to.path); err != nil {
		return 0, err
	}
	return b.to.f.WriteAt(p, at)
}

// faulty writes half of what it is given before a fault, as a full disk may.
type faulty struct {
	fs   FS
	f    *os.File
	path string
}

func (w faulty) Write(b []byte) (int, error) {
	if err := w.fs.fault("write", w.path); err != nil {
		n, werr := w.f.Write(b[:len(b)/2])
		return n, errors.Join(err, werr)
	}
	return w.f.Write(b)
}

// ReplaceBytes is Replace for content at hand.
func (fs FS) ReplaceBytes(path string, content []byte) error {
	return fs.Replace(path, func(w Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Mkdir makes a folder, its parents too, and syncs the folder it stands in.
func (fs FS) Mkdir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := fs.fault("mkdir", dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(dir))
}

// SyncDir makes the names in a folder durable.
func (fs FS) SyncDir(dir string) error {
	if err := fs.fault("syncdir", dir); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Sweep removes the temporary files that a crash left in a folder.
func (fs FS) Sweep(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), TempMark) && e.Type().IsRegular() {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Log is an append-only file. One goroutine at a time uses it.
type Log struct {
	fs   FS
	f    *os.File
	size int64
	err  error // why it can't be used any more
}

// OpenLog opens or makes the log at path, and cuts it to size bytes.
func (fs FS) OpenLog(path string, size int64) (*Log, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	l := &Log{fs: fs, f: f, size: size}
	if err := l.cut(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := fs.SyncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

// cut brings the file to the log's size, durably.
func (l *Log) cut() error {
	info, err := l.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() < l.size {
		return fmt.Errorf("%s: %d bytes where there were %d", l.f.Name(), info.Size(), l.size)
	}
	if info.Size() == l.size {
		return nil
	}
	if err := l.fs.fault("truncate", l.f.Name()); err != nil {
		return err
	}
	if err := l.f.Truncate(l.size); err != nil {
		return err
	}
	return l.f.Sync()
}

// Append writes b at the end and returns when it is on the disk. After an error
// nothing of b is in the file; where that can't be brought about, every later
// Append fails with the same error.
func (l *Log) Append(b []byte) error {
	if l.err != nil {
		return l.err
	}
	if err := l.append(b); err != nil {
		if cerr := l.cut(); cerr != nil {
			l.err = fmt.Errorf("%s: no longer usable: %w", l.f.Name(), errors.Join(err, cerr))
			return l.err
		}
		return err
	}
	l.size += int64(len(b))
	return nil
}

func (l *Log) append(b []byte) error {
	if err := l.fs.fault("write", l.f.Name()); err != nil {
		_, werr := l.f.WriteAt(b[:len(b)/2], l.size)
		return errors.Join(err, werr)
	}
	if _, err := l.f.WriteAt(b, l.size); err != nil {
		return err
	}
	if err := l.fs.fault("sync", l.f.Name()); err != nil {
		return err
	}
	return l.f.Sync()
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

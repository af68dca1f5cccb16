package durable

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"moncae/internal/fault"
)

// Writer writes a file from its beginning to its end. WriteAt replaces bytes that
// were written before.
type Writer interface {
	io.Writer
	io.WriterAt
}

// Replace gives the file at path the content that write produces, and keeps its
// permissions. A device or a pipe is refused: renaming would do away with it.
func (fs FS) Replace(path string, write func(Writer) error) (err error) {
	f, release, err := fs.createTemp(path)
	if err != nil {
		return err
	}
	defer release()
	temp := f.Name()
	defer func() {
		if temp != "" {
			err = errors.Join(err, fs.discard(temp))
		}
	}()
	if err := (&file{fs: fs, f: f, path: path}).fill(write); err != nil {
		return err
	}
	if err := fs.rename(temp, path); err != nil {
		return err
	}
	temp = ""
	return fs.SyncDir(filepath.Dir(path))
}

// ReplaceBytes is Replace for content at hand.
func (fs FS) ReplaceBytes(path string, content []byte) error { return fs.Replace(path, whole(content)) }

func whole(content []byte) func(Writer) error {
	return func(w Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// file is a file that is being made.
type file struct {
	fs   FS
	f    *os.File
	path string // what it will be
	at   int64  // where the next byte goes
	err  error  // the first failure, which every later call repeats
}

// fill writes, syncs and closes the file. A panic of write after a failure is that
// failure: there are libraries that drop an error and stumble later.
func (w *file) fill(write func(Writer) error) (err error) {
	defer func() {
		cerr := w.f.Close()
		if w.err != nil {
			_ = recover()
			err = w.err
		}
		err = errors.Join(err, cerr)
	}()
	b := buffered{bufio.NewWriterSize(w, 1<<16), w}
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	return w.sync()
}

func (w *file) sync() error {
	if err := w.fs.fault("sync", w.path); err != nil {
		return err
	}
	return w.fs.did(Step{Kind: "sync", Path: w.f.Name()}, w.f.Sync())
}

func (w *file) Write(b []byte) (n int, err error) {
	n, err = w.WriteAt(b, w.at)
	w.at += int64(n)
	return n, err
}

// WriteAt writes half of what it is given before a fault, as a full disk may.
func (w *file) WriteAt(b []byte, at int64) (n int, err error) {
	if w.err != nil {
		return 0, w.err
	}
	injected := w.fs.fault("write", w.path)
	if injected != nil {
		b = b[:len(b)/2]
	}
	n, err = w.f.WriteAt(b, at)
	w.fs.trace(Step{Kind: "write", Path: w.f.Name(), At: at, Data: b[:n]})
	if err == nil {
		err = injected
	}
	if err != nil {
		w.err = named(err, w.path)
	}
	return n, w.err
}

// named tells of a temporary file's failure under the name that the user gave.
func named(err error, path string) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return &os.PathError{Op: p.Op, Path: path, Err: p.Err}
	}
	return err
}

// unwritable tells of a place where nothing may be made under the name that the user
// gave; other failures stay what they are.
func unwritable(err error, path string) error {
	if err = named(err, path); errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) {
		return fault.Usagef("%w: name another place, or have its folder be one that you may write to", err)
	}
	return err
}

// buffered is the Writer of a file.
type buffered struct {
	*bufio.Writer
	to *file
}

func (b buffered) WriteAt(p []byte, at int64) (int, error) {
	if err := b.Flush(); err != nil {
		return 0, err
	}
	return b.to.WriteAt(p, at)
}

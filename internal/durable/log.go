package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Log is an append-only file. One goroutine at a time uses it.
type Log struct {
	fs   FS
	f    *os.File
	size int64
	err  error // why it can't be used any more
}

// OpenLog opens or makes the log at path, as OpenOwn does, and cuts it to size
// bytes.
func (fs FS) OpenLog(path string, size int64) (*Log, error) {
	if err := fs.fault("create", path); err != nil {
		return nil, err
	}
	f, err := OpenOwn(path)
	if err != nil {
		return nil, err
	}
	fs.trace(Step{Kind: "create", Path: path})
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
	if err := l.fs.did(Step{Kind: "truncate", Path: l.f.Name(), At: l.size}, l.f.Truncate(l.size)); err != nil {
		return err
	}
	return l.sync()
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
	injected := l.fs.fault("write", l.f.Name())
	if injected != nil {
		b = b[:len(b)/2]
	}
	n, err := l.f.WriteAt(b, l.size)
	l.fs.trace(Step{Kind: "write", Path: l.f.Name(), At: l.size, Data: b[:n]})
	if err = errors.Join(injected, err); err != nil {
		return err
	}
	if err := l.fs.fault("sync", l.f.Name()); err != nil {
		return err
	}
	return l.sync()
}

func (l *Log) sync() error {
	return l.fs.did(Step{Kind: "sync", Path: l.f.Name()}, l.f.Sync())
}

// Close closes the file.
func (l *Log) Close() error { return l.f.Close() }

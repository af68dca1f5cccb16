package durable

import (
	"errors"
	"io"
	"path/filepath"
)

// OpenPart opens or makes a file that comes in pieces, as OpenOwn does, and cuts it
// to size bytes; what is written goes behind them. Close syncs it. What was written
// before an error or a crash may be there or not: the one who goes on checks it.
func (fs FS) OpenPart(path string, size int64) (io.WriteCloser, error) {
	if err := fs.fault("create", path); err != nil {
		return nil, err
	}
	f, err := OpenOwn(path)
	if err != nil {
		return nil, err
	}
	fs.trace(Step{Kind: "create", Path: path})
	if err := fs.did(Step{Kind: "truncate", Path: path, At: size}, f.Truncate(size)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &part{file{fs: fs, f: f, path: path, at: size}}, nil
}

type part struct{ file }

func (p *part) Close() error {
	err := p.sync()
	return errors.Join(err, p.f.Close())
}

// Finish syncs a file that came in pieces, gives it its name, and syncs the folder.
func (fs FS) Finish(from, to string) error {
	f, err := OpenOwn(from)
	if err != nil {
		return err
	}
	p := part{file{fs: fs, f: f, path: from}}
	if err := p.Close(); err != nil {
		return err
	}
	if err := fs.rename(from, to); err != nil {
		return err
	}
	return fs.SyncDir(filepath.Dir(to))
}

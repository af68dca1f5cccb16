package latent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"moncae/internal/arrowmsg"
	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/regular"
)

// Reader reads the rows of a file or of a folder of shards, in order.
type Reader struct {
	meta    Meta
	dtype   DType
	pending []string // shards that were not opened yet
	dir     string
	shards  map[string]Shard
	file    *file
	rows    int // of the whole, −1 where only reading tells
}

// Open opens a file of latents (Arrow file, Arrow stream or Parquet: its first
// bytes tell), or a folder of shards.
func Open(path string) (*Reader, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Usagef("latents: %w", err)
	}
	if !info.IsDir() {
		f, err := openFile(path)
		if err != nil {
			return nil, err
		}
		return &Reader{meta: f.decoder.meta, dtype: f.decoder.dtype, file: f, rows: -1}, nil
	}
	return openShards(path)
}

func openShards(dir string) (*Reader, error) {
	m, complete, err := readManifest(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.Usagef("%s: a folder without %s holds no latents", dir, ManifestName)
	}
	if err != nil {
		return nil, err
	}
	if !complete {
		return nil, fault.Usagef("%s: the compression was interrupted after %d rows: run it again with --resume", dir, m.Rows)
	}
	if len(m.Shards) == 0 {
		return nil, fault.Damagedf("%s: there are no shards in it", filepath.Join(dir, ManifestName))
	}
	r := &Reader{dir: dir, shards: map[string]Shard{}, rows: m.Rows}
	for _, s := range m.Shards {
		r.pending = append(r.pending, s.File)
		r.shards[s.File] = s
	}
	if err := r.openNext(); err != nil {
		return nil, err
	}
	r.meta, r.dtype = r.file.decoder.meta, r.file.decoder.dtype
	r.meta.Fingerprint, r.meta.Checked = m.Fingerprint, true
	return r, nil
}

// openNext opens the next shard after holding it against its SHA-256.
func (r *Reader) openNext() error {
	name := r.pending[0]
	if err := r.shards[name].verify(r.dir); err != nil {
		return err
	}
	f, err := openFile(filepath.Join(r.dir, name))
	if err != nil {
		return err
	}
	if r.file != nil {
		if f.decoder.meta.Shape != r.meta.Shape || f.decoder.dtype != r.dtype {
			return errors.Join(f.Close(), fault.Damagedf("%s: latents %s%v, the other shards' are %s%v",
				f.name, f.decoder.dtype, f.decoder.meta.Shape, r.dtype, r.meta.Shape))
		}
		if err := r.file.Close(); err != nil {
			return errors.Join(f.Close(), err)
		}
	}
	r.file, r.pending = f, r.pending[1:]
	return nil
}

// Meta is what the file says beside its rows.
func (r *Reader) Meta() Meta { return r.meta }

// Next gives the next rows, one record batch, or io.EOF. They are valid until
// the next call.
func (r *Reader) Next() (Rows, error) {
	for {
		rows, err := r.file.next()
		if !errors.Is(err, io.EOF) || len(r.pending) == 0 {
			return rows, err
		}
		if err := r.openNext(); err != nil {
			return Rows{}, err
		}
	}
}

// Close closes the files.
func (r *Reader) Close() error { return r.file.Close() }

// ReadAll reads every row of a file or folder into memory.
func ReadAll(path string) (meta Meta, all Rows, err error) {
	r, err := Open(path)
	if err != nil {
		return Meta{}, Rows{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for {
		rows, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Meta(), all, nil
		}
		if err != nil {
			return Meta{}, Rows{}, err
		}
		all.Append(rows)
	}
}

// file is one open file.
type file struct {
	name    string
	closer  io.Closer
	decoder decoder
	records func() (arrow.Record, error)
	done    int  // rows so far
	sealed  bool // with checksums
	foreign bool // nothing says that moncae wrote it
}

func openFile(path string) (*file, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, fault.Usagef("latents: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	opened, err := newFile(path, f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	opened.closer = f
	return opened, nil
}

func (f *file) Close() error { return f.closer.Close() }

type source interface {
	io.ReaderAt
	io.ReadSeeker
}

// newFile begins to read what kind of file there is.
func newFile(name string, r source, size int64) (*file, error) {
	f := &file{name: name}
	start := make([]byte, min(size, 8))
	if _, err := r.ReadAt(start, 0); err != nil && len(start) > 0 {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case bytes.HasPrefix(start, []byte("PAR1")):
		return f, f.openParquet(r, size)
	case arrowmsg.IsIPC(start):
		return f, f.openIPC(r, size)
	}
	f.foreign = !marked(r, size)
	return nil, f.wrongf("%s: it begins with % x: neither an Arrow file, nor an Arrow stream, nor Parquet", name, start)
}

// marked tells whether a file has a key of moncae's metadata, which stand at its beginning
// or, in Parquet, at its end.
func marked(r io.ReaderAt, size int64) bool {
	const within = 1 << 16
	b := make([]byte, min(size, within))
	for _, at := range []int64{0, size - int64(len(b))} {
		if n, err := r.ReadAt(b, at); err == nil && bytes.Contains(b[:n], []byte(metakey.Prefix)) {
			return true
		}
	}
	return false
}

func (f *file) openIPC(r source, size int64) (err error) {
	defer f.noPanic(&err)
	records, err := arrowmsg.Open(r, size, arrowmsg.Options{})
	if err != nil {
		return f.damaged(err)
	}
	f.sealed = records.Sealed()
	if !records.Schema().IsNativeEndian() {
		return fault.Damagedf("%s: the byte order is not this machine's", f.name)
	}
	f.records = func() (rec arrow.Record, err error) {
		defer f.noPanic(&err)
		rec, err = records.Read()
		if err != nil && !errors.Is(err, io.EOF) {
			err = f.damaged(err)
		}
		return rec, err
	}
	return f.readSchema(records.Schema())
}

func (f *file) readSchema(sc *arrow.Schema) (err error) {
	if len(sc.FieldIndices(colLatent)) == 0 && len(sc.FieldIndices(ColumnImage)) > 0 {
		return fault.Usagef("%s holds images (column %s), as `moncae decompress` writes them, and no latents: give the file that `moncae compress` wrote", f.name, ColumnImage)
	}
	f.foreign = !slices.ContainsFunc(sc.Metadata().Keys(), func(key string) bool { return strings.HasPrefix(key, metakey.Prefix) })
	if f.decoder.meta, f.decoder.dtype, err = metaFromSchema(sc); err != nil {
		return f.wrongf("%s: %w", f.name, err)
	}
	f.decoder.meta.Checked = f.sealed
	return nil
}

// wrongf is what is wrong with the file: damage, unless it never was ours.
func (f *file) wrongf(format string, args ...any) error {
	if f.foreign {
		return fault.Usagef(format+"; latents of moncae are wanted, which `moncae compress` writes", args...)
	}
	return fault.Damagedf(format, args...)
}

// damaged is an error of arrow's that names the file, and the byte where it is known.
func (f *file) damaged(err error) error {
	if located := (*arrowmsg.Error)(nil); errors.As(err, &located) {
		err = located
	}
	return f.wrongf("%s: %w", f.name, err)
}

// noPanic makes a panic of a reader that trusts its files an error.
func (f *file) noPanic(err *error) {
	if recover() != nil {
		*err = f.wrongf("%s: its contents don't hold together", f.name)
	}
}

func (f *file) next() (Rows, error) {
	rec, err := f.records()
	if err != nil {
		return Rows{}, err
	}
	rows, err := f.decoder.rows(rec)
	if err != nil {
		return Rows{}, f.wrongf("%s: after row %d: %w", f.name, f.done, err)
	}
	f.done += rows.Len()
	return rows, nil
}

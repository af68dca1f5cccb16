package latent

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"moncae/internal/arrowmsg"
	"moncae/internal/durable"
)

// RecordBytes bounds a record batch, except one that holds a single row.
const RecordBytes = 64 << 20

// Source gives the rows of a file in order: at most limit at a time, io.EOF
// after the last. Rows are used until the next call.
type Source func(limit int) (Rows, error)

// Written tells of a file that was written.
type Written struct {
	Rows            int
	FirstID, LastID int64
	Bytes           int64
	SHA256          string // of a shard
}

// Disk is where files are written.
type Disk struct {
	durable.FS
	// Count, where set, grows by every byte that is written.
	Count *atomic.Int64
}

// WriteFile writes all rows of src to the file at path. o is resolved; m.Quant is
// there exactly for int8. fingerprint, where it isn't nil, is asked for m's behind
// the last row. On an error the file at path is as it was before.
func WriteFile(disk Disk, path string, m Meta, o Options, src Source, fingerprint func() string) (Written, error) {
	return writeFile(disk, path, m, o, 0, src, fingerprint, nil)
}

// writeFile writes the first limit rows of src, or all where limit is 0; sum, where
// it isn't nil, is over what is written, and excludes a late fingerprint.
func writeFile(disk Disk, path string, m Meta, o Options, limit int, src Source, fingerprint func() string, sum hash.Hash) (Written, error) {
	var done Written
	if fingerprint != nil && o.Format != Parquet {
		m.Fingerprint = unknown
	}
	err := disk.Replace(path, func(to durable.Writer) error {
		out := &counter{w: to, sum: sum, all: disk.Count}
		w := &writer{encoder: newEncoder(m, o), out: out}
		if err := w.open(); err != nil {
			return err
		}
		if err := w.fill(limit, src, &done); err != nil {
			return err
		}
		if err := w.finish(to, fingerprint); err != nil {
			return err
		}
		done.Bytes = out.n
		if sum != nil {
			done.SHA256 = hex.EncodeToString(sum.Sum(nil))
		}
		return nil
	})
	if err != nil {
		return Written{}, fmt.Errorf("%s: %w", path, err)
	}
	return done, nil
}

type writer struct {
	*encoder
	out  *counter
	file interface {
		Write(arrow.Record) error
		Close() error
	}
}

func (w *writer) open() (err error) {
	switch w.opts.Format {
	case Parquet:
		w.file, err = newParquetWriter(w.out, w.schema, w.opts)
	default:
		w.file = arrowmsg.NewWriter(w.out, w.opts.Format != Stream, w.schema, w.ipcOptions()...)
	}
	return err
}

func (w *writer) ipcOptions() []ipc.Option {
	switch w.opts.Compression {
	case LZ4:
		return []ipc.Option{ipc.WithLZ4()}
	case Zstd:
		return []ipc.Option{ipc.WithZstd()}
	}
	return nil
}

func (w *writer) fill(limit int, src Source, done *Written) error {
	for limit == 0 || done.Rows < limit {
		want := 0
		if limit > 0 {
			want = limit - done.Rows
		}
		rows, err := src(want)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if rows.Len() == 0 {
			continue
		}
		rows.check(w.meta)
		if done.Rows == 0 {
			done.FirstID = rows.IDs[0]
		}
		done.Rows += rows.Len()
		done.LastID = rows.IDs[rows.Len()-1]
		if err := w.write(rows); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) write(rows Rows) error {
	for rows.Len() > 0 {
		n := recordRows(rows, w.meta, w.opts.DType, RecordBytes)
		rec, err := w.record(rows.Slice(0, n, w.meta.Shape.Values()))
		if err != nil {
			return err
		}
		if err := w.file.Write(rec); err != nil {
			return err
		}
		rec.Release()
		rows = rows.Slice(n, rows.Len(), w.meta.Shape.Values())
	}
	return nil
}

// counter counts, and with sum hashes, what goes through.
type counter struct {
	w   io.Writer
	n   int64
	sum hash.Hash
	all *atomic.Int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	if c.all != nil {
		c.all.Add(int64(n))
	}
	if c.sum != nil {
		c.sum.Write(b[:n])
	}
	return n, err
}

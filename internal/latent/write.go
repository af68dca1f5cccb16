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
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

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
		out := &counter{w: to, sum: sum, all: disk.Count, schema: fingerprint != nil}
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
		w.file, err = pqarrow.NewFileWriter(w.schema, w.out, w.parquetProperties(), pqarrow.NewArrowWriterProperties())
	case Stream:
		w.file = ipc.NewWriter(w.out, w.ipcOptions()...)
	default:
		w.file, err = ipc.NewFileWriter(w.out, w.ipcOptions()...)
	}
	return err
}

func (w *writer) ipcOptions() []ipc.Option {
	o := []ipc.Option{ipc.WithSchema(w.schema)}
	switch w.opts.Compression {
	case LZ4:
		o = append(o, ipc.WithLZ4())
	case Zstd:
		o = append(o, ipc.WithZstd())
	}
	return o
}

func (w *writer) parquetProperties() *parquet.WriterProperties {
	codec := compress.Codecs.Uncompressed
	if w.opts.Compression == Zstd {
		codec = compress.Codecs.Zstd
	}
	return parquet.NewWriterProperties(parquet.WithCompression(codec),
		parquet.WithDictionaryDefault(false), parquet.WithCreatedBy("moncae"),
		parquet.WithRootRepetition(parquet.Repetitions.Required)) // arrow-go's default, repeated, is no valid root
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
		w.out.schema = false
		rec.Release()
		rows = rows.Slice(n, rows.Len(), w.meta.Shape.Values())
	}
	return nil
}

// counter counts, and with sum hashes, what goes through. It seeks as far as Arrow's
// writer does, which only asks where it is.
type counter struct {
	w      io.Writer
	n      int64
	sum    hash.Hash
	all    *atomic.Int64
	schema bool    // a schema may go through
	late   []int64 // where unknown stands in schemas
}

func (c *counter) Write(b []byte) (int, error) {
	if c.schema {
		c.find(b)
	}
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

func (c *counter) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.ErrUnsupported
	}
	return c.n, nil
}

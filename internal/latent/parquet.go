package latent

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	parquetfile "github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"moncae/internal/arrowmsg"
	"moncae/internal/fault"
	"moncae/internal/metakey"
)

// parquetWriter writes a Parquet file that has under metakey.Checksum the CRC-32C
// (Castagnoli) of all its bytes, with zeros for the eight digits themselves: arrow-go
// neither writes nor checks the format's own checksums of pages.
type parquetWriter struct {
	*pqarrow.FileWriter
	out *held
}

func newParquetWriter(to io.Writer, schema *arrow.Schema, o Options) (*parquetWriter, error) {
	codec := compress.Codecs.Uncompressed
	if o.Compression == Zstd {
		codec = compress.Codecs.Zstd
	}
	properties := parquet.NewWriterProperties(parquet.WithCompression(codec),
		parquet.WithDictionaryDefault(false), parquet.WithCreatedBy("moncae"),
		parquet.WithRootRepetition(parquet.Repetitions.Required)) // arrow-go's default, repeated, is no valid root
	out := &held{to: to, sum: arrowmsg.NewChecksum()}
	w, err := pqarrow.NewFileWriter(schema, out, properties, pqarrow.NewArrowWriterProperties())
	return &parquetWriter{w, out}, err
}

// Close writes what is left, and the checksum with it.
func (w *parquetWriter) Close() error {
	if err := w.AppendKeyValueMetadata(metakey.Checksum, noDigits); err != nil {
		return err
	}
	if err := w.FileWriter.Close(); err != nil {
		return err
	}
	return w.out.release()
}

// noDigits stand for a checksum that is yet to be written, and are what it is of.
const noDigits = "00000000"

// checksumMark is what stands in front of the digits, in Thrift's compact protocol.
var checksumMark = []byte(metakey.Checksum + "\x18\x08")

// digitsAt is where the digits of the last checksum in b stand; −1: there is none.
func digitsAt(b []byte) int {
	at := bytes.LastIndex(b, checksumMark) + len(checksumMark)
	if at < len(checksumMark) || at+len(noDigits) > len(b) {
		return -1
	}
	return at
}

// held keeps back what is written from the checksum's place on.
type held struct {
	to   io.Writer
	sum  hash.Hash32
	back []byte
	err  error
}

func (h *held) Write(b []byte) (int, error) {
	if h.back != nil || bytes.Contains(b, checksumMark) {
		h.back = append(h.back, b...)
		return len(b), nil
	}
	if h.err == nil {
		h.sum.Write(b)
		_, h.err = h.to.Write(b)
	}
	return len(b), h.err
}

// release writes what was kept back, with the digits. Errors of before are told here
// too, for arrow-go passes some over.
func (h *held) release() error {
	at := digitsAt(h.back)
	if h.err != nil {
		return h.err
	}
	if at < 0 {
		return errors.New("the metadata of the Parquet file have no place for its checksum")
	}
	h.sum.Write(h.back)
	copy(h.back[at:], arrowmsg.Digits(h.sum))
	_, err := h.to.Write(h.back)
	return err
}

// checkParquet holds the file against its checksum, if it has one.
func checkParquet(r io.ReaderAt, size int64) (sealed bool, err error) {
	tail := make([]byte, min(size, 8))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil || len(tail) < 8 {
		return false, err
	}
	footer := min(int64(binary.LittleEndian.Uint32(tail))+8, size)
	b := make([]byte, footer)
	if _, err := r.ReadAt(b, size-footer); err != nil {
		return false, err
	}
	at := digitsAt(b)
	if at < 0 {
		return false, nil
	}
	sum := arrowmsg.NewChecksum()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size-footer)); err != nil {
		return true, err
	}
	got := string(b[at:][:len(noDigits)])
	copy(b[at:], noDigits)
	sum.Write(b)
	if want := arrowmsg.Digits(sum); got != want {
		return true, fmt.Errorf("its bytes have the checksum %s, it says %.8q: the file is damaged", want, got)
	}
	return true, nil
}

// parquetRows is how many rows are read at a time, or fewer where they are large.
const parquetRows = 4096

func (f *file) openParquet(r source, size int64) (err error) {
	defer f.noPanic(&err)
	if f.sealed, err = checkParquet(r, size); err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	p, err := parquetfile.NewParquetReader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return f.unreadable()
	}
	if err := arrowmsg.CheckParquet(p.MetaData().KeyValueMetadata()); err != nil {
		return fault.Damagedf("%s: %w", f.name, err)
	}
	sc, err := pqarrow.FromParquet(p.MetaData().Schema, &pqarrow.ArrowReadProperties{}, p.MetaData().KeyValueMetadata())
	if err != nil {
		return f.unreadable()
	}
	if sc.Metadata().Len() == 0 {
		md := p.MetaData().KeyValueMetadata()
		pairs := arrow.NewMetadata(md.Keys(), md.Values())
		sc = arrow.NewSchema(sc.Fields(), &pairs)
	}
	if err := f.readSchema(sc); err != nil {
		return err
	}
	batch := max(1, RecordBytes/(4*f.decoder.meta.Shape.Values()))
	rows, err := pqarrow.NewFileReader(p, pqarrow.ArrowReadProperties{BatchSize: int64(min(batch, parquetRows))}, memory.DefaultAllocator)
	if err != nil {
		return f.unreadable()
	}
	records, err := rows.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		return f.unreadable()
	}
	f.records = func() (rec arrow.Record, err error) {
		defer f.noPanic(&err)
		rec, err = records.Read()
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			err = f.wrongf("%s: after row %d: a page can't be read", f.name, f.done)
		case int64(f.done) != p.NumRows(): // arrow-go takes a page that it can't read for a column's end
			err = f.wrongf("%s: its pages hold %d rows, its footer announces %d: a page is damaged, or in an encoding that isn't read", f.name, f.done, p.NumRows())
		}
		return rec, err
	}
	return nil
}

// unreadable stands for what the Parquet library says, in its own terms, of a file whose
// footer isn't what it was.
func (f *file) unreadable() error {
	return fault.Damagedf("%s: its footer can't be read: the file was cut off, or is damaged", f.name)
}

package columnar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"moncae/internal/arrowmsg"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// table gives a file's record batches in order; a batch is valid until the next.
type table interface {
	schema() *arrow.Schema
	next() (arrow.Record, error) // io.EOF after the last
	rows() int64                 // by the footer; −1: only reading tells
	close() error
}

// open opens a file by its content; need chooses the columns that a Parquet file is
// read for.
func open(f *source.File, need func(*arrow.Schema) ([]string, error)) (t table, err error) {
	defer rescue(f.Path, &err)
	disk, err := os.Open(f.Disk)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	mem, err := allocator(disk)
	if err != nil {
		return nil, errors.Join(fault.Usagef("%w", err), disk.Close())
	}
	var magic [8]byte
	if _, err = io.ReadFull(disk, magic[:]); err == nil {
		_, err = disk.Seek(0, io.SeekStart)
	}
	switch {
	case err != nil:
	case bytes.HasPrefix(magic[:], []byte("PAR1")):
		t, err = openParquet(disk, mem, need)
	case strings.EqualFold(path.Ext(f.Path), ".parquet"):
		err = errors.New("it doesn't begin with PAR1")
	default:
		if t, err = openIPC(disk, mem); err == nil {
			_, err = need(t.schema()) // all columns are read
		}
	}
	if fault.Of(err) == fault.Usage { // the choice of columns, not the file
		return nil, errors.Join(err, disk.Close())
	}
	if err != nil {
		kind := strings.TrimPrefix(path.Ext(f.Path), ".")
		return nil, errors.Join(fault.Usagef("%s: can't be read as %s: %w", f.Path, kind, err), disk.Close())
	}
	return t, nil
}

// openIPC opens an IPC file or stream.
func openIPC(disk *os.File, mem memory.Allocator) (table, error) {
	info, err := disk.Stat()
	if err != nil {
		return nil, err
	}
	records, err := arrowmsg.Open(disk, info.Size(), arrowmsg.Options{Dictionaries: true, Unmarked: true}, ipc.WithAllocator(mem))
	if err != nil {
		return nil, err
	}
	return ipcTable{records, disk}, nil
}

// rescue turns a panic of the Arrow libraries, which they raise on damaged
// input, into the fault of the file.
func rescue(path string, err *error) {
	if p := recover(); p != nil {
		*err = fault.Usagef("%s: is damaged: %v", path, p)
	}
}

// announced holds the rows that were read of a whole file against its footer:
// arrow-go takes a page that it can't read for the end of a column.
func announced(path string, t table, read int64) error {
	if n := t.rows(); n >= 0 && n != read {
		return fault.Usagef("%s: its pages hold %d rows, its footer announces %d: a page is damaged, or in an encoding that isn't read; get the file again, or write it with another encoding", path, read, n)
	}
	return nil
}

// next is t.next with its faults named.
func next(path string, t table) (r arrow.Record, err error) {
	defer rescue(path, &err)
	r, err = t.next()
	if err != nil && err != io.EOF { //nolint:errorlint // the end itself
		err = fault.Usagef("%s: %w", path, err)
	}
	return r, err
}

// ipcTable reads an IPC file or stream.
type ipcTable struct {
	records arrowmsg.Records
	disk    *os.File
}

func (t ipcTable) schema() *arrow.Schema       { return t.records.Schema() }
func (t ipcTable) next() (arrow.Record, error) { return t.records.Read() }
func (t ipcTable) rows() int64                 { return -1 }
func (t ipcTable) close() error                { return t.disk.Close() }

// parquetTable reads Parquet.
type parquetTable struct {
	pqarrow.RecordReader
	all  *arrow.Schema
	file *file.Reader
}

// leastRows may be announced by any footer.
const leastRows = 1 << 20

// parquetBatch is the number of rows that are decoded at once.
const parquetBatch = 128

func openParquet(disk *os.File, mem memory.Allocator, need func(*arrow.Schema) ([]string, error)) (table, error) {
	props := parquet.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true // row groups may be large: pages are enough
	r, err := file.NewParquetReader(disk, file.WithReadProps(props))
	if err != nil {
		return nil, err
	}
	info, err := disk.Stat()
	if err != nil {
		return nil, err
	}
	if n := r.NumRows(); n < 0 || n > leastRows+expansion*info.Size() {
		return nil, fmt.Errorf("its footer announces %d rows in %d bytes", n, info.Size())
	}
	origin, err := arrowmsg.TakeSchema(r.MetaData())
	if err != nil {
		return nil, err
	}
	fr, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: parquetBatch}, mem)
	if err != nil {
		return nil, err
	}
	schema, err := fr.Schema()
	if err != nil {
		return nil, err
	}
	pairs := r.MetaData().KeyValueMetadata()
	schema = withMetadata(schema, arrow.NewMetadata(pairs.Keys(), pairs.Values()), origin)
	names, err := need(schema)
	if err != nil {
		return nil, err
	}
	var leaves []int
	for i := range r.MetaData().Schema.NumColumns() {
		name := r.MetaData().Schema.Column(i).ColumnPath()[0]
		if slices.Contains(names, name) || len(names) == 0 {
			leaves = append(leaves, i)
		}
	}
	rows, err := fr.GetRecordReader(context.Background(), leaves, nil)
	if err != nil {
		return nil, err
	}
	return &parquetTable{rows, schema, r}, nil
}

// withMetadata adds the file's metadata to a schema, and to its fields what the schema
// that they were written with says of extension types, whose values are read as what they
// are stored as.
func withMetadata(schema *arrow.Schema, meta arrow.Metadata, origin *arrow.Schema) *arrow.Schema {
	fields := slices.Clone(schema.Fields())
	for i, f := range fields {
		if origin == nil {
			break
		}
		was, ok := origin.FieldsByName(f.Name)
		if !ok || len(was) != 1 {
			continue
		}
		if text := extension(was[0]); text != "" {
			fields[i].Metadata = arrow.NewMetadata([]string{extensionKey}, []string{text})
		}
	}
	return arrow.NewSchema(fields, &meta)
}

const extensionKey = "ARROW:extension:metadata"

// extension is what an extension type says of itself, "" where there is none.
func extension(f arrow.Field) string {
	if e, ok := f.Type.(arrow.ExtensionType); ok {
		return e.Serialize()
	}
	text, _ := f.Metadata.GetValue(extensionKey)
	return text
}

func (t *parquetTable) schema() *arrow.Schema { return t.all }

func (t *parquetTable) rows() int64 { return t.file.NumRows() }

func (t *parquetTable) next() (arrow.Record, error) { return t.Read() }

func (t *parquetTable) close() error {
	t.Release()
	return t.file.Close()
}

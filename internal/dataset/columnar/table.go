package columnar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
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
	close() error
}

// open opens a file by its content; labels says that only the label column of a
// Parquet file is needed.
func open(f *source.File, labels bool) (t table, err error) {
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
		t, err = openParquet(disk, mem, labels)
	case strings.EqualFold(path.Ext(f.Path), ".parquet"):
		err = errors.New("it doesn't begin with PAR1")
	default:
		t, err = openIPC(disk, mem, magic[:])
	}
	if err != nil {
		kind := strings.TrimPrefix(path.Ext(f.Path), ".")
		return nil, errors.Join(fault.Usagef("%s: can't be read as %s: %w", f.Path, kind, err), disk.Close())
	}
	return t, nil
}

// openIPC opens the IPC file or stream that begins with start.
func openIPC(disk *os.File, mem memory.Allocator, start []byte) (table, error) {
	info, err := disk.Stat()
	if err != nil {
		return nil, err
	}
	o := arrowmsg.Options{Dictionaries: true, Unmarked: true}
	var m *arrowmsg.Reader
	switch {
	case arrowmsg.IsFile(start) && !arrowmsg.InOrder(disk):
		return openFooter(disk, mem, info.Size(), o)
	case arrowmsg.IsFile(start):
		if m, err = arrowmsg.File(disk, info.Size(), o); err != nil {
			return nil, err
		}
	case arrowmsg.IsStream(start):
		m = arrowmsg.Stream(disk, info.Size(), o)
	default:
		return nil, fmt.Errorf("it begins with % x: neither an Arrow file nor a stream", start)
	}
	r, err := ipc.NewReaderFromMessageReader(m, ipc.WithAllocator(mem))
	if err != nil {
		return nil, err
	}
	return &ipcTable{r, disk}, nil
}

// openFooter opens an IPC file that can be read by its footer only.
func openFooter(disk *os.File, mem memory.Allocator, size int64, o arrowmsg.Options) (table, error) {
	r, err := arrowmsg.ByFooter(disk, size, o, ipc.WithAllocator(mem))
	if err != nil {
		return nil, err
	}
	return &footerTable{r, disk, 0}, nil
}

// rescue turns a panic of the Arrow libraries, which they raise on damaged
// input, into the fault of the file.
func rescue(path string, err *error) {
	if p := recover(); p != nil {
		*err = fault.Usagef("%s: is damaged: %v", path, p)
	}
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

// ipcTable reads the messages of an IPC file or stream in order.
type ipcTable struct {
	*ipc.Reader
	disk *os.File
}

func (t *ipcTable) schema() *arrow.Schema { return t.Schema() }

func (t *ipcTable) next() (arrow.Record, error) {
	if !t.Next() {
		if err := t.Err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	return t.Record(), nil
}

func (t *ipcTable) close() error {
	t.Release()
	return t.disk.Close()
}

// footerTable reads an IPC file by its footer.
type footerTable struct {
	*ipc.FileReader
	disk *os.File
	at   int
}

func (t *footerTable) schema() *arrow.Schema { return t.Schema() }

func (t *footerTable) next() (arrow.Record, error) {
	if t.at == t.NumRecords() {
		return nil, io.EOF
	}
	t.at++
	return t.Record(t.at - 1)
}

func (t *footerTable) close() error { return errors.Join(t.Close(), t.disk.Close()) }

// parquetTable reads Parquet.
type parquetTable struct {
	pqarrow.RecordReader
	all  *arrow.Schema
	file *file.Reader
}

// parquetBatch is the number of rows that are decoded at once.
const parquetBatch = 128

func openParquet(disk *os.File, mem memory.Allocator, labels bool) (table, error) {
	props := parquet.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true // row groups may be large: pages are enough
	r, err := file.NewParquetReader(disk, file.WithReadProps(props))
	if err != nil {
		return nil, err
	}
	if err := arrowmsg.CheckParquet(r.MetaData().KeyValueMetadata()); err != nil {
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
	c, err := findColumns(disk.Name(), schema)
	if err != nil {
		return nil, err
	}
	var leaves []int
	for i := range r.MetaData().Schema.NumColumns() {
		name, _, _ := strings.Cut(r.MetaData().Schema.Column(i).Path(), ".")
		if name == c.label || name == c.image && !labels || labels && c.label == "" {
			leaves = append(leaves, i)
		}
	}
	rows, err := fr.GetRecordReader(context.Background(), leaves, nil)
	if err != nil {
		return nil, err
	}
	return &parquetTable{rows, schema, r}, nil
}

func (t *parquetTable) schema() *arrow.Schema { return t.all }

func (t *parquetTable) next() (arrow.Record, error) { return t.Read() }

func (t *parquetTable) close() error {
	t.Release()
	return t.file.Close()
}

package columnar

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"moncae/internal/arrowmsg"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
	"moncae/internal/regular"
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
	disk, err := regular.Open(f.Disk)
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
		err = errors.New("it doesn't begin with PAR1, as Parquet files do")
	default:
		if t, err = openIPC(disk, mem); err == nil {
			_, err = need(t.schema()) // all columns are read
		}
	}
	if fault.Of(err) == fault.Usage { // the choice of columns, not the file
		return nil, errors.Join(err, disk.Close())
	}
	if err != nil {
		kind := "Arrow"
		if strings.EqualFold(path.Ext(f.Path), ".parquet") {
			kind = "Parquet"
		}
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
// input, into the fault of the file. What they say of it is of no use to its owner.
func rescue(path string, err *error) {
	if recover() != nil {
		*err = fault.Usagef("%s: is damaged: its contents don't hold together; get it again", path)
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

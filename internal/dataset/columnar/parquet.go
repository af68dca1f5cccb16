package columnar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"moncae/internal/arrowmsg"
)

// parquetTable reads Parquet. The library reads the members of a struct on goroutines of
// its own, where its panics over damaged bytes would end the process: here each member is
// a column, and the struct is put together again.
type parquetTable struct {
	columns []parquetColumn
	mem     memory.Allocator
	all     *arrow.Schema
	file    *file.Reader
}

// parquetColumn is a column, or a struct's members.
type parquetColumn struct {
	field   arrow.Field
	readers []*pqarrow.ColumnReader
	names   []string // of a struct's members
}

// leastRows may be announced by any footer.
const leastRows = 1 << 20

// parquetBatch is the number of rows that are decoded at once.
const parquetBatch = 128

var (
	errFooter = errors.New("its footer is damaged, or of a kind that isn't read; get it again")
	errPage   = errors.New("a page is damaged, or in an encoding that isn't read; get it again, or write it with another encoding")
)

func openParquet(disk *os.File, mem memory.Allocator, need func(*arrow.Schema) ([]string, error)) (table, error) {
	info, err := disk.Stat()
	if err != nil {
		return nil, err
	}
	if err := whole(disk, info.Size()); err != nil {
		return nil, err
	}
	props := parquet.NewReaderProperties(mem)
	props.BufferedStreamEnabled = true // row groups may be large: pages are enough
	r, err := file.NewParquetReader(disk, file.WithReadProps(props))
	if err != nil {
		return nil, errFooter
	}
	if n := r.NumRows(); n < 0 || n > leastRows+expansion*info.Size() {
		return nil, fmt.Errorf("its footer announces %d rows in %d bytes", n, info.Size())
	}
	origin, err := arrowmsg.TakeSchema(r.MetaData())
	if err != nil {
		return nil, errFooter
	}
	fr, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: parquetBatch}, mem)
	if err != nil {
		return nil, errFooter
	}
	schema, err := fr.Schema()
	if err != nil {
		return nil, errFooter
	}
	pairs := r.MetaData().KeyValueMetadata()
	schema = withMetadata(schema, arrow.NewMetadata(pairs.Keys(), pairs.Values()), origin)
	names, err := need(schema)
	if err != nil {
		return nil, err
	}
	t := &parquetTable{mem: mem, all: schema, file: r}
	if err := t.choose(fr, names); err != nil {
		return nil, t.whyNot()
	}
	return t, nil
}

// whyNot is why pages can't be read.
func (t *parquetTable) whyNot() error {
	for i := range t.file.NumRowGroups() {
		group := t.file.MetaData().RowGroup(i)
		for j := range group.NumColumns() {
			column, err := group.ColumnChunk(j)
			if err != nil {
				return errFooter
			}
			if _, err := compress.GetCodec(column.Compression()); err != nil {
				return fmt.Errorf("it is compressed by %v, which isn't read; write it with zstd or snappy", column.Compression())
			}
		}
	}
	return errPage
}

// whole tells whether a file ends as Parquet does.
func whole(disk *os.File, size int64) error {
	var end [4]byte
	if _, err := disk.ReadAt(end[:], max(0, size-4)); err != nil {
		return err
	}
	switch string(end[:]) {
	case "PAR1":
		return nil
	case "PARE":
		return errors.New("it is encrypted; write it without")
	}
	return errors.New("it doesn't end with PAR1, as Parquet files do: it was cut off; get it again")
}

// choose opens the columns of these names, all where there are none. What holds structs
// deeper within is no image and no label.
func (t *parquetTable) choose(fr *pqarrow.FileReader, names []string) error {
	groups := make([]int, t.file.NumRowGroups())
	for i := range groups {
		groups[i] = i
	}
	leaves := map[int]bool{}
	for i := range t.file.MetaData().Schema.NumColumns() {
		leaves[i] = true
	}
	fields := fr.Manifest.Fields
	fr.Manifest.Fields = nil // it is by their place there that columns are opened
	for _, f := range fields {
		if len(names) > 0 && !slices.Contains(names, f.Field.Name) {
			continue
		}
		c, members := parquetColumn{field: *f.Field}, []pqarrow.SchemaField{f}
		if f.Field.Type.ID() == arrow.STRUCT {
			members = slices.DeleteFunc(slices.Clone(f.Children), func(m pqarrow.SchemaField) bool { return len(m.Children) > 0 })
			for _, m := range members {
				c.names = append(c.names, m.Field.Name)
			}
		}
		if len(members) == 0 || slices.ContainsFunc(members, holdsStruct) {
			continue
		}
		for _, m := range members {
			fr.Manifest.Fields = append(fr.Manifest.Fields, m)
			r, err := fr.GetFieldReader(context.Background(), len(fr.Manifest.Fields)-1, leaves, groups)
			if err != nil {
				return err
			}
			c.readers = append(c.readers, r)
		}
		t.columns = append(t.columns, c)
	}
	return nil
}

func holdsStruct(f pqarrow.SchemaField) bool {
	return f.Field.Type.ID() == arrow.STRUCT || slices.ContainsFunc(f.Children, holdsStruct)
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

func (t *parquetTable) next() (arrow.Record, error) {
	var fields []arrow.Field
	var columns []arrow.Array
	for _, c := range t.columns {
		a, err := c.next(t.mem)
		if err != nil {
			return nil, err
		}
		c.field.Type = a.DataType()
		fields, columns = append(fields, c.field), append(columns, a)
	}
	if len(columns) == 0 {
		return nil, io.EOF
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(columns[0].Len())), nil
}

// next are the column's next rows, or io.EOF.
func (c *parquetColumn) next(mem memory.Allocator) (arrow.Array, error) {
	var members []arrow.Array
	for _, r := range c.readers {
		chunks, err := r.NextBatch(parquetBatch)
		if err != nil {
			return nil, errPage
		}
		if chunks.Len() == 0 {
			return nil, io.EOF
		}
		a := chunks.Chunk(0)
		if len(chunks.Chunks()) > 1 {
			if a, err = array.Concatenate(chunks.Chunks(), mem); err != nil {
				return nil, errPage
			}
		}
		members = append(members, a)
	}
	if c.names == nil {
		return members[0], nil
	}
	a, err := array.NewStructArray(members, c.names)
	if err != nil { // they differ in length
		return nil, errPage
	}
	return a, nil
}

func (t *parquetTable) close() error { return t.file.Close() }

package latent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	parquetfile "github.com/apache/arrow/go/v17/parquet/file"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/metakey"
)

// written is the content of a file of sample rows.
func written(t testing.TB, o Options, n int) []byte {
	t.Helper()
	m, r := sample(n)
	if o.DType == Int8 {
		m.Quant = quantOf(m, r)
	}
	o, err := o.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x")
	if _, err := WriteFile(Disk{}, path, m, o, inPieces(r, 7, m.Shape.Values()), nil); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// readAllOf reads a file's content to the end, or to an error.
func readAllOf(b []byte) (rows int, err error) {
	f, err := newFile("x.arrow", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, err
	}
	for {
		r, err := f.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows += r.Len()
	}
}

// polars.arrow is a file that polars 2.1 wrote: seven rows of 2×3×2 with paths, zstd.
// Its strings are views, and its schema is in the footer only.
func TestFilesOfPolars(t *testing.T) {
	path := filepath.Join("testdata", "polars.arrow")
	meta, r, err := ReadAll(path)
	if err != nil {
		t.Fatal(err)
	}
	if meta.Shape != (arch.Shape{C: 2, H: 3, W: 2}) || r.Len() != 7 || r.Latents[83] != 83./8 || r.Paths[6] != "a folder/6.png" {
		t.Errorf("%+v, %d rows, paths %q", meta, r.Len(), r.Paths)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for end := range b {
		if n, err := readAllOf(b[:end]); !refusedAsCut(err, end) {
			t.Fatalf("cut to %d of %d bytes: %d rows, %v", end, len(b), n, err)
		}
	}
	changed(t, b, "polars")
}

// refusedAsCut: of so few bytes that they are no Arrow or Parquet, nobody can tell whose they
// were.
func refusedAsCut(err error, end int) bool {
	return fault.Of(err) == fault.Damaged || end < 8 && fault.Of(err) == fault.Usage
}

func TestCutOffFilesAreRefused(t *testing.T) {
	for _, o := range []Options{{}, {Compression: Zstd, DType: Int8}, {Format: Stream}, {Format: Stream, Compression: LZ4}, {Format: Parquet}} {
		b := written(t, o, 15)
		if n, err := readAllOf(b); n != 15 || err != nil {
			t.Fatalf("%+v: %d rows, %v", o, n, err)
		}
		for end := range b {
			if n, err := readAllOf(b[:end]); !refusedAsCut(err, end) {
				t.Fatalf("%+v cut to %d of %d bytes: %d rows, %v", o, end, len(b), n, err)
			}
		}
	}
}

// unchecked takes the checksums away, as files of others have none.
func unchecked(b []byte) []byte {
	return bytes.ReplaceAll(b, []byte(metakey.Checksum), []byte("somebody.else"))
}

// A changed byte of a file without checksums may go unseen; it must never panic,
// and what it breaks must be told, as damage or as no file of ours.
func TestChangedBytesNeverPanic(t *testing.T) {
	for _, o := range []Options{{}, {Compression: Zstd}, {Format: Stream, Layout: List, Compression: LZ4, DType: Int8}} {
		b := unchecked(written(t, o, 9))
		if m, r, err := contentOf(b); err != nil || m.Checked || r.Len() != 9 {
			t.Fatalf("%+v without checksums: %d rows, checked %v, %v", o, r.Len(), m.Checked, err)
		}
		changed(t, b, fmt.Sprintf("%+v", o))
	}
}

// Every changed byte of what this package wrote is found, or what is read is the same.
func TestChangedBytesAreFound(t *testing.T) {
	options := []Options{
		{}, {Compression: Zstd, DType: Float16}, {Format: Stream, Layout: List, Compression: LZ4, DType: Int8}, {Format: Stream},
		{Format: Parquet}, {Format: Parquet, Compression: Zstd, DType: Int8},
	}
	for _, o := range options {
		name, b := fmt.Sprintf("%+v", o), written(t, o, 9)
		want, wantRows, err := contentOf(b)
		if err != nil {
			t.Fatal(err)
		}
		var harmless []int
		for i := range b {
			for _, flip := range []byte{1, 0x80, b[i]} {
				if flip == 0 {
					continue
				}
				b[i] ^= flip
				got, rows, err := contentOf(b)
				b[i] ^= flip
				if err != nil && fault.Of(err) != fault.Damaged {
					t.Fatalf("%s, byte %d ^ %#x: %v", name, i, flip, err)
				}
				if err != nil {
					continue
				}
				checked := got.Checked
				got.Checked = true
				if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(rows, wantRows) {
					t.Fatalf("%s, byte %d ^ %#x of %d is believed (checked: %v)", name, i, flip, len(b), checked)
				}
				if len(harmless) == 0 || harmless[len(harmless)-1] != i {
					harmless = append(harmless, i)
				}
			}
		}
		t.Logf("%s: of %d bytes, changes to these are read over: %v", name, len(b), harmless)
	}
}

// contentOf reads all of a file.
func contentOf(b []byte) (m Meta, all Rows, err error) {
	f, err := newFile("x.arrow", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return m, all, err
	}
	for {
		r, err := f.next()
		if errors.Is(err, io.EOF) {
			return f.decoder.meta, all, nil
		}
		if err != nil {
			return m, all, err
		}
		all.Append(r)
	}
}

// changed reads b with every byte changed.
func changed(t *testing.T, b []byte, name string) {
	t.Helper()
	for i := range b {
		for _, v := range []byte{0, 0x7f, 0xff, b[i] ^ 0x10} {
			old := b[i]
			b[i] = v
			if _, err := readAllOf(b); err != nil && fault.Of(err) == fault.Failed {
				t.Fatalf("%s, byte %d = %#x: %v", name, i, v, err)
			}
			b[i] = old
		}
	}
}

// TestRowsAreHeldAgainstTheFooter: a row group that can't be read is no end.
func TestRowsAreHeldAgainstTheFooter(t *testing.T) {
	b := unchecked(written(t, Options{Format: Parquet}, 15))
	p, err := parquetfile.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	last := p.MetaData().RowGroup(p.NumRowGroups() - 1)
	for i := range p.MetaData().Schema.NumColumns() {
		c, err := last.ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		clear(b[c.DataPageOffset():][:c.TotalCompressedSize()])
	}
	if n, err := readAllOf(b); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), "announces 15") {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestHugeClaimsCostNothing(t *testing.T) {
	b := written(t, Options{Format: Stream}, 3)
	for _, size := range []uint32{1 << 31, 1<<31 - 1, 1 << 26, 1 << 25} {
		c := bytes.Clone(b)
		binary.LittleEndian.PutUint32(c[4:], size)
		before := testing.AllocsPerRun(1, func() {
			if _, err := readAllOf(c); fault.Of(err) != fault.Damaged {
				t.Errorf("a header of %d bytes: %v", size, err)
			}
		})
		if before > 200 {
			t.Errorf("%v allocations", before)
		}
	}
	c := written(t, Options{Format: Stream, Compression: Zstd}, 3)
	at := bytes.Index(c, []byte{0x28, 0xb5, 0x2f, 0xfd}) // the first zstd frame
	binary.LittleEndian.PutUint64(c[at-8:], 1<<40)
	if _, err := readAllOf(c); fault.Of(err) != fault.Damaged {
		t.Errorf("a buffer of 1 TiB: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, o := range []Options{{}, {Layout: List, Compression: LZ4}, {Format: Stream, DType: Int8, Compression: Zstd}, {Format: Stream, DType: Float16}} {
		b := written(f, o, 5)
		f.Add(b)
		f.Add(unchecked(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte("PAR1")) {
			return // the Parquet library's own
		}
		if _, err := readAllOf(b); err != nil && fault.Of(err) != fault.Damaged {
			t.Error(err)
		}
	})
}

// foreign writes a stream with the given columns through arrow itself.
func foreign(t *testing.T, md map[string]string, fields []arrow.Field, cols []arrow.Array) []byte {
	t.Helper()
	meta := arrow.MetadataFrom(md)
	sc := arrow.NewSchema(fields, &meta)
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(sc))
	rec := array.NewRecord(sc, cols, int64(cols[0].Len()))
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func floatLists(rows ...[]float32) arrow.Array {
	b := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Float32)
	for _, r := range rows {
		b.Append(true)
		b.ValueBuilder().(*array.Float32Builder).AppendValues(r, nil)
	}
	return b.NewArray()
}

func TestForeignFiles(t *testing.T) {
	ids := numbers(arrow.PrimitiveTypes.Int64, []int64{0, 1})
	id := arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64}
	two := floatLists([]float32{1, 2}, []float32{3, 4})
	latent := arrow.Field{Name: "latent", Type: two.DataType()}
	shape := map[string]string{"moncae.shape": "[2,1,1]"}
	for _, c := range []struct {
		name   string
		md     map[string]string
		fields []arrow.Field
		cols   []arrow.Array
		ok     bool
	}{
		{"good", shape, []arrow.Field{id, latent}, []arrow.Array{ids, two}, true},
		{"another column", shape, []arrow.Field{id, latent, {Name: "mine", Type: id.Type}}, []arrow.Array{ids, two, ids}, true},
		{"no id", shape, []arrow.Field{latent}, []arrow.Array{two}, false},
		{"no latent", shape, []arrow.Field{id}, []arrow.Array{ids}, false},
		{"two ids", shape, []arrow.Field{id, latent, id}, []arrow.Array{ids, two, ids}, false},
		{"no shape", nil, []arrow.Field{id, latent}, []arrow.Array{ids, two}, false},
		{"a shape of nothing", map[string]string{"moncae.shape": "[0,1]"}, []arrow.Field{id, latent}, []arrow.Array{ids, two}, false},
		{"a shape that overflows", map[string]string{"moncae.shape": "[4294967296,4294967296]"}, []arrow.Field{id, latent}, []arrow.Array{ids, two}, false},
		{"a shape that is text", map[string]string{"moncae.shape": "2x1"}, []arrow.Field{id, latent}, []arrow.Array{ids, two}, false},
		{"another shape", map[string]string{"moncae.shape": "[3]"}, []arrow.Field{id, latent}, []arrow.Array{ids, two}, false},
		{"uneven", shape, []arrow.Field{id, latent}, []arrow.Array{ids, floatLists([]float32{1}, []float32{2, 3, 4})}, false},
		{"latent of int64", shape, []arrow.Field{id, {Name: "latent", Type: id.Type}}, []arrow.Array{ids, ids}, false},
		{"newer", map[string]string{"moncae.shape": "[2]", "moncae.latents": "2"}, []arrow.Field{id, latent}, []arrow.Array{ids, two}, false},
	} {
		n, err := readAllOf(foreign(t, c.md, c.fields, c.cols))
		kind := fault.Usage // never ours, as far as the file says
		if c.md != nil {
			kind = fault.Damaged
		}
		if c.ok && (n != 2 || err != nil) || !c.ok && (err == nil || fault.Of(err) != kind) {
			t.Errorf("%s: %d rows, %v", c.name, n, err)
		}
	}
}

func TestShapesOfTensors(t *testing.T) {
	for _, c := range []struct {
		dims []int64
		want arch.Shape
	}{
		{[]int64{4}, arch.Shape{C: 4, H: 1, W: 1}},
		{[]int64{4, 2}, arch.Shape{C: 4, H: 2, W: 1}},
		{[]int64{4, 2, 3}, arch.Shape{C: 4, H: 2, W: 3}},
		{[]int64{4, 2, 3, 1}, arch.Shape{}},
		{[]int64{1 << 40, 1 << 40}, arch.Shape{}},
		{[]int64{-1}, arch.Shape{}},
		{nil, arch.Shape{}},
	} {
		got, err := shapeOf(c.dims)
		if got != c.want || (err == nil) != (c.want.C > 0) {
			t.Errorf("%v: %v, %v", c.dims, got, err)
		}
	}
}

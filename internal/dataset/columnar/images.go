package columnar

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// imageReader gives the images of one record batch.
type imageReader interface {
	len() int
	read(it *source.Item, row int) error
}

// decoder says how the images of a collection are read.
type decoder struct {
	*columns
	raw   *source.Raw
	sides []int64 // of an image of numbers
	span  *pixel.Span
	dir   string // where paths begin
}

// reader reads the images of a batch of the file at path.
func (d *decoder) reader(path string, record arrow.Record) (_ imageReader, err error) {
	defer rescue(path, &err)
	if d.image == "" {
		return d.wideReader(path, record)
	}
	a, err := column(record, d.image)
	if err != nil {
		return nil, fault.Usagef("%s: %w", path, err)
	}
	a = stored(a)
	switch b := a.(type) {
	case *array.Struct:
		r := structReader{array: b, dir: d.dir}
		t := b.DataType().(*arrow.StructType)
		if i, ok := t.FieldIdx("bytes"); ok {
			r.bytes, _ = b.Field(i).(binary)
		}
		if i, ok := t.FieldIdx("path"); ok {
			r.path, _ = b.Field(i).(array.StringLike)
		}
		if r.bytes != nil {
			return r, nil
		}
	case binary:
		return binaryReader{b}, nil
	default:
		if d.raw != nil && depth(a.DataType()) > 0 {
			return tensorReader{a, d}, nil
		}
	}
	return nil, fault.Usagef("%s: column %s is %v, which holds no images", path, d.image, a.DataType())
}

func stored(a arrow.Array) arrow.Array {
	if e, ok := a.(array.ExtensionArray); ok {
		return e.Storage()
	}
	return a
}

var errNull = errors.New("the image is null")

// binary is what arrays of binary, large binary and binary views share.
type binary interface {
	arrow.Array
	Value(i int) []byte
}

type binaryReader struct{ binary }

func (r binaryReader) len() int { return r.Len() }

func (r binaryReader) read(it *source.Item, row int) error {
	it.Data = it.Data[:0]
	if r.IsNull(row) {
		return errNull
	}
	it.Data = append(it.Data, r.Value(row)...)
	return nil
}

type structReader struct {
	array *array.Struct
	bytes binary
	path  array.StringLike
	dir   string
}

func (r structReader) len() int { return r.array.Len() }

func (r structReader) read(it *source.Item, row int) error {
	it.Data = it.Data[:0]
	if r.path != nil && r.path.IsValid(row) {
		it.Path = strings.ToValidUTF8(r.path.Value(row), "?")
	}
	switch {
	case r.array.IsNull(row), r.bytes.IsNull(row) && it.Path == "":
		return errNull
	case r.bytes.IsNull(row):
		return r.byPath(it)
	}
	it.Data = append(it.Data, r.bytes.Value(row)...)
	return nil
}

// byPath lets an image be read from where the table says that it lies, below its folder.
func (r structReader) byPath(it *source.Item) error {
	inside := filepath.FromSlash(it.Path)
	if !filepath.IsLocal(inside) {
		return fmt.Errorf("the image isn't in the table, only its path %s, which leads out of the table's folder: put the images below the folder, with paths from there, or write them into the table", it.Path)
	}
	it.File = &source.File{Path: it.Path, Size: -1, Stored: -1, Disk: filepath.Join(r.dir, inside)}
	return nil
}

// tensorReader reads lists of numbers.
type tensorReader struct {
	array arrow.Array
	*decoder
}

func (r tensorReader) len() int { return r.array.Len() }

func (r tensorReader) read(it *source.Item, row int) error {
	values, from, to, sides, err := unfold(r.array, row)
	if err != nil {
		return err
	}
	if len(sides) > 1 && !slices.Equal(sides, r.sides) || to-from != r.raw.Shape.Values() {
		return fmt.Errorf("is %v; the first image is %v, and all need the same", sides, r.sides)
	}
	it.Data = slices.Grow(it.Data[:0], to-from)[:to-from]
	return toBytes(it.Data, values, from, r.span)
}

// unfold finds the numbers of a row of nested lists, and its sides.
func unfold(a arrow.Array, row int) (values arrow.Array, from, to int, sides []int64, err error) {
	if a = stored(a); a.IsNull(row) {
		return nil, 0, 0, nil, errNull
	}
	for from, to = row, row+1; !isNumber(a.DataType()); {
		list, ok := a.(array.ListLike)
		if !ok {
			return nil, 0, 0, nil, fmt.Errorf("is %v, no list of numbers", a.DataType())
		}
		first, end, each := int64(0), int64(0), int64(0)
		for i := from; i < to; i++ {
			b, e := list.ValueOffsets(i)
			if i == from {
				first, each, end = b, e-b, b
			}
			if e-b != each || b != end || a.IsNull(i) {
				return nil, 0, 0, nil, errors.New("its rows differ in length")
			}
			end = e
		}
		sides = append(sides, each)
		a, from, to = stored(list.ListValues()), int(first), int(end)
	}
	return a, from, to, sides, nil
}

// toBytes makes bytes of the numbers that begin at from.
func toBytes(dst []uint8, values arrow.Array, from int, span *pixel.Span) error {
	if from < 0 || from+len(dst) > values.Len() {
		return errors.New("its values are missing: the file is damaged")
	}
	if bytes, ok := values.(*array.Uint8); ok && !span.Given() && values.NullN() == 0 {
		copy(dst, bytes.Uint8Values()[from:])
		return nil
	}
	fractions := isFraction(values.DataType())
	for i := range dst {
		if values.IsNull(from + i) {
			return fmt.Errorf("value %d is null", i)
		}
		var err error
		if dst[i], err = span.Byte(numberAt(values, from+i), fractions); err != nil {
			return fmt.Errorf("value %d is %w", i, err)
		}
	}
	return nil
}

// isFraction tells whether 1 is the greatest value of a type.
func isFraction(t arrow.DataType) bool { return arrow.IsFloating(t.ID()) || t.ID() == arrow.BOOL }

// numberAt is a value of an array of numbers.
func numberAt(a arrow.Array, i int) float64 {
	switch a := a.(type) {
	case *array.Float16:
		return float64(a.Value(i).Float32())
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Float64:
		return a.Value(i)
	case *array.Boolean:
		if a.Value(i) {
			return 1
		}
		return 0
	case *array.Uint64:
		return float64(a.Value(i))
	}
	return float64(integerAt(a, i))
}

// wideReader reads images of which every value has a column of its own.
type wideReader struct {
	columns []arrow.Array
	rows    int
	span    *pixel.Span
}

func (d *decoder) wideReader(path string, record arrow.Record) (imageReader, error) {
	r := wideReader{rows: int(record.NumRows()), span: d.span}
	for _, name := range d.wide {
		a, err := column(record, name)
		if err != nil {
			return nil, fault.Usagef("%s: %w", path, err)
		}
		r.columns = append(r.columns, a)
	}
	return r, nil
}

func (r wideReader) len() int { return r.rows }

func (r wideReader) read(it *source.Item, row int) error {
	it.Data = slices.Grow(it.Data[:0], len(r.columns))[:len(r.columns)]
	for i, c := range r.columns {
		if err := toBytes(it.Data[i:i+1], c, row, r.span); err != nil {
			return fmt.Errorf("pixel %d: %w", i, err)
		}
	}
	return nil
}

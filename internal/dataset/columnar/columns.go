package columnar

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// columns are the names of the columns that are read, and what the schema says
// about them.
type columns struct {
	image, label string      // label is "" where there is none
	raw          *source.Raw // of tensors; nil: encoded images
	classes      []string    // from the metadata
}

// The usual names of columns, best first.
var (
	imageNames = []string{"image", "img", "images", "picture", "photo", "jpg", "png"}
	labelNames = []string{"label", "labels", "fine_label", "class", "target", "cls", "digit"}
)

// findColumns picks the image column, by a usual name or as the only one that
// can be, and the label column by a usual name.
func findColumns(path string, schema *arrow.Schema) (columns, error) {
	var c columns
	var can []string
	for _, f := range schema.Fields() {
		if holdsImages(f) {
			can = append(can, f.Name)
		}
	}
	for _, n := range imageNames {
		if slices.Contains(can, n) {
			c.image = n
			break
		}
	}
	if c.image == "" && len(can) == 1 {
		c.image = can[0]
	}
	if c.image == "" {
		return c, fault.Usagef("%s: there is no image column among %s: one of binary, of structs with \"bytes\", or of tensors of uint8, is needed, best named image", path, strings.Join(fieldNames(schema), ", "))
	}
	for _, n := range labelNames {
		if f, ok := schema.FieldsByName(n); ok && c.label == "" && n != c.image && isLabel(f[0].Type) {
			c.label = n
		}
	}
	field, _ := schema.FieldsByName(c.image)
	var err error
	if c.raw, err = rawOf(field[0]); err != nil {
		return c, fault.Usagef("%s: column %s: %w", path, c.image, err)
	}
	c.classes = huggingFaceClasses(schema, c.label)
	return c, nil
}

func fieldNames(schema *arrow.Schema) []string {
	var names []string
	for _, f := range schema.Fields() {
		names = append(names, fmt.Sprintf("%s (%v)", f.Name, f.Type))
	}
	return names
}

// storage is the type below an extension type.
func storage(t arrow.DataType) arrow.DataType {
	if e, ok := t.(arrow.ExtensionType); ok {
		return e.StorageType()
	}
	return t
}

func isBinary(t arrow.DataType) bool {
	return t.ID() == arrow.BINARY || t.ID() == arrow.LARGE_BINARY || t.ID() == arrow.BINARY_VIEW
}

func holdsImages(f arrow.Field) bool {
	t := storage(f.Type)
	switch t := t.(type) {
	case *arrow.StructType:
		b, ok := t.FieldByName("bytes")
		return ok && isBinary(b.Type)
	case *arrow.FixedSizeListType:
		return t.Elem().ID() == arrow.UINT8
	}
	return isBinary(t)
}

func isLabel(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return arrow.IsInteger(t.ID()) || t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

// rawOf is the layout of a tensor column: the shape of arrow.fixed_shape_tensor,
// [H,W], [C,H,W] or [H,W,C]; nil for encoded images.
func rawOf(f arrow.Field) (*source.Raw, error) {
	list, ok := storage(f.Type).(*arrow.FixedSizeListType)
	if !ok {
		return nil, nil
	}
	text, _ := f.Metadata.GetValue("ARROW:extension:metadata")
	if e, ok := f.Type.(arrow.ExtensionType); ok {
		text = e.Serialize()
	}
	var meta struct{ Shape, Permutation []int }
	if err := json.Unmarshal([]byte(text), &meta); err != nil || meta.Permutation != nil {
		return nil, errors.New("is a list of bytes without a shape; the extension type arrow.fixed_shape_tensor gives one")
	}
	s := meta.Shape
	var raw *source.Raw
	switch {
	case len(s) == 2:
		raw = &source.Raw{Shape: arch.Shape{C: 1, H: s[0], W: s[1]}, Planar: true}
	case len(s) == 3 && (s[2] == 1 || s[2] == 3):
		raw = &source.Raw{Shape: arch.Shape{C: s[2], H: s[0], W: s[1]}}
	case len(s) == 3 && (s[0] == 1 || s[0] == 3):
		raw = &source.Raw{Shape: arch.Shape{C: s[0], H: s[1], W: s[2]}, Planar: true}
	}
	if raw == nil || raw.Shape.H < 1 || raw.Shape.W < 1 || raw.Shape.Values() != int(list.Len()) {
		return nil, fmt.Errorf("tensors of %v over lists of %d; [H,W], [H,W,C] or [C,H,W] with C 1 or 3 are read", s, list.Len())
	}
	return raw, nil
}

// huggingFaceClasses are the names in the schema's metadata, nil without them.
func huggingFaceClasses(schema *arrow.Schema, label string) []string {
	text, ok := schema.Metadata().GetValue("huggingface")
	if !ok {
		return nil
	}
	var meta struct {
		Info struct {
			Features map[string]struct{ Names []string }
		}
	}
	if json.Unmarshal([]byte(text), &meta) != nil {
		return nil // other people's metadata: names are a courtesy
	}
	return meta.Info.Features[label].Names
}

// imageReader gives the images of one record batch.
type imageReader interface {
	len() int
	read(it *source.Item, row int) error
}

func newImageReader(path string, record arrow.Record, c columns) (_ imageReader, err error) {
	defer rescue(path, &err)
	a, err := column(record, c.image)
	if err != nil {
		return nil, fault.Usagef("%s: %w", path, err)
	}
	if e, ok := a.(array.ExtensionArray); ok {
		a = e.Storage()
	}
	switch a := a.(type) {
	case *array.Struct:
		r := structReader{array: a}
		t := a.DataType().(*arrow.StructType)
		if i, ok := t.FieldIdx("bytes"); ok {
			r.bytes, _ = a.Field(i).(binary)
		}
		if i, ok := t.FieldIdx("path"); ok {
			r.path, _ = a.Field(i).(array.StringLike)
		}
		if r.bytes != nil {
			return r, nil
		}
	case *array.FixedSizeList:
		if values, ok := a.ListValues().(*array.Uint8); ok {
			return tensorReader{a, values}, nil
		}
	case binary:
		return binaryReader{a}, nil
	}
	return nil, fault.Usagef("%s: column %s is %v, which holds no images", path, c.image, a.DataType())
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
}

func (r structReader) len() int { return r.array.Len() }

func (r structReader) read(it *source.Item, row int) error {
	it.Data = it.Data[:0]
	if r.path != nil && r.path.IsValid(row) {
		it.Path = r.path.Value(row)
	}
	if r.array.IsNull(row) || r.bytes.IsNull(row) {
		return errNull
	}
	it.Data = append(it.Data, r.bytes.Value(row)...)
	return nil
}

type tensorReader struct {
	array  *array.FixedSizeList
	values *array.Uint8
}

func (r tensorReader) len() int { return r.array.Len() }

func (r tensorReader) read(it *source.Item, row int) error {
	it.Data = it.Data[:0]
	if r.array.IsNull(row) {
		return errNull
	}
	from, to := r.array.ValueOffsets(row)
	it.Data = append(it.Data, r.values.Uint8Values()[from:to]...)
	return nil
}

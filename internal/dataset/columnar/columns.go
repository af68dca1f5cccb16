package columnar

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// columns are the names of the columns that are read, and what the schema says
// about them.
type columns struct {
	image   string   // "" where every pixel is a column
	wide    []string // those columns, in order
	label   string   // "" where there is none
	numbers bool     // the images are numbers, not files
	sides   []int64  // of tensors, where the schema says it
	classes []string // from the metadata
	others  []string // the other columns
}

// The usual names of columns in lower case, best first.
var (
	imageNames = strings.Fields("image img images picture photo jpg png")
	labelNames = strings.Fields("label labels fine_label class classes target targets category cls digit character breed species emotion diagnosis y")
)

// names are the columns that are needed.
func (c *columns) names(labelsOnly bool) []string {
	var out []string
	if c.label != "" {
		out = append(out, c.label)
	}
	if labelsOnly {
		return out
	}
	if c.image != "" {
		return append(out, c.image)
	}
	return append(out, c.wide...)
}

// findColumns picks the image column, as it is asked for, by a usual name, or as the only
// one that can be; and the label column as it is asked for or by a usual name. nil: the
// table holds no images.
func findColumns(path string, schema *arrow.Schema, ask source.Columns) (*columns, error) {
	c := &columns{}
	var err error
	if c.image, err = imageColumn(path, schema, ask.Image); err != nil {
		return nil, err
	}
	if c.label, err = labelColumn(path, schema, c.image, ask.Label); err != nil {
		return nil, err
	}
	if c.image == "" {
		for _, f := range schema.Fields() {
			if f.Name != c.label && isPixel(f) {
				c.wide = append(c.wide, f.Name)
			}
		}
		if source.Square(int64(len(c.wide))) == 0 {
			return nil, nil
		}
		c.numbers = true
	} else {
		field, _ := schema.FieldsByName(c.image)
		if c.numbers = depth(field[0].Type) > 0; c.numbers {
			if c.sides, err = sidesIn(field[0]); err != nil {
				return nil, fault.Usagef("%s: column %s: %w", path, c.image, err)
			}
		}
	}
	for _, f := range schema.Fields() {
		if !slices.Contains(c.names(false), f.Name) {
			c.others = append(c.others, f.Name)
		}
	}
	c.classes = huggingFaceClasses(schema, c.label)
	return c, nil
}

// imageColumn is the column of images, "" for none.
func imageColumn(path string, schema *arrow.Schema, asked string) (string, error) {
	var can []string
	for _, f := range schema.Fields() {
		if holdsImages(f) {
			can = append(can, f.Name)
		}
	}
	switch {
	case asked != "" && slices.Contains(can, asked):
		return asked, nil
	case asked != "":
		return "", fault.Usagef("%s: there is no column %q of images; there are %s", path, asked, source.Few(fieldNames(schema)))
	case len(can) == 1:
		return can[0], nil
	}
	for _, n := range imageNames {
		for _, c := range can {
			if strings.EqualFold(c, n) {
				return c, nil
			}
		}
	}
	if len(can) > 1 {
		return "", fault.Usagef("%s: which of its columns holds the images, %s? Name it with --image-column", path, source.Few(can))
	}
	return "", nil
}

// labelColumn is the column of labels, "" for none.
func labelColumn(path string, schema *arrow.Schema, image, asked string) (string, error) {
	var can []string
	for _, f := range schema.Fields() {
		if f.Name != image && isLabel(f.Type) {
			can = append(can, f.Name)
		}
	}
	switch {
	case asked != "" && slices.Contains(can, asked):
		return asked, nil
	case asked != "":
		return "", fault.Usagef("%s: there is no column %q of labels; there are %s", path, asked, source.Few(fieldNames(schema)))
	}
	for _, n := range labelNames {
		for _, c := range can {
			if strings.EqualFold(c, n) {
				return c, nil
			}
		}
	}
	named := slices.DeleteFunc(can, func(c string) bool { return huggingFaceClasses(schema, c) == nil })
	if len(named) == 1 {
		return named[0], nil
	}
	return "", nil
}

func fieldNames(schema *arrow.Schema) []string {
	var names []string
	for _, f := range schema.Fields() {
		names = append(names, fmt.Sprintf("%s (%v)", f.Name, f.Type))
	}
	return names
}

// noImages is the fault of a table without images.
func noImages(path string, schema *arrow.Schema) error {
	return fault.Usagef("%s: there is no image column among %s: one of binary, of structs with \"bytes\", of lists of numbers, or columns of pixels, pixel0 to pixel783, are needed", path, source.Few(fieldNames(schema)))
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

func isNumber(t arrow.DataType) bool {
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID()) || t.ID() == arrow.BOOL
}

// depth is the number of lists around numbers, 0 for what is no list of numbers.
func depth(t arrow.DataType) int {
	const most = 3
	for d := 1; d <= most; d++ {
		list, ok := storage(t).(arrow.ListLikeType)
		if _, isMap := t.(*arrow.MapType); !ok || isMap {
			return 0
		}
		if t = list.Elem(); isNumber(t) {
			return d
		}
	}
	return 0
}

// holdsImages tells whether a column can hold images: files, or lists of numbers. Flat
// lists need a name or a length that says so, for boxes and embeddings are lists too.
func holdsImages(f arrow.Field) bool {
	t := storage(f.Type)
	if s, ok := t.(*arrow.StructType); ok {
		b, ok := s.FieldByName("bytes")
		return ok && isBinary(b.Type)
	}
	if d := depth(t); d > 0 {
		fixed, ok := t.(*arrow.FixedSizeListType)
		return d > 1 || slices.Contains(imageNames, strings.ToLower(f.Name)) || strings.Contains(strings.ToLower(f.Name), "pixel") ||
			ok && fixed.Elem().ID() == arrow.UINT8
	}
	return isBinary(t)
}

// isPixel tells by its name whether a column holds one value of all images.
func isPixel(f arrow.Field) bool { return isNumber(f.Type) && source.IsPixelName(f.Name) }

func isLabel(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return isNumber(t) || t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

// sidesIn are the sides of a tensor column where its extension type says them
// (arrow.fixed_shape_tensor), nil otherwise.
func sidesIn(f arrow.Field) ([]int64, error) {
	text := extension(f)
	var meta struct {
		Shape       []int64
		Permutation []int
	}
	if text == "" || json.Unmarshal([]byte(text), &meta) != nil || meta.Shape == nil {
		return nil, nil // other people's metadata
	}
	if meta.Permutation != nil && !slices.IsSorted(meta.Permutation) {
		return nil, fmt.Errorf("its tensors are stored in another order of their sides (permutation %v)", meta.Permutation)
	}
	n := int64(1)
	for _, s := range meta.Shape {
		if s < 1 || s > maxValues || n > maxValues/s {
			return nil, fmt.Errorf("tensors of %v are refused", meta.Shape)
		}
		n *= s
	}
	if list, ok := storage(f.Type).(*arrow.FixedSizeListType); ok && n != int64(list.Len()) {
		return nil, fmt.Errorf("tensors of %v over lists of %d", meta.Shape, list.Len())
	}
	return meta.Shape, nil
}

// maxValues is the number of values of the largest image that is read.
const maxValues = 1 << 27

// huggingFaceClasses are the names in the schema's metadata, nil without them.
func huggingFaceClasses(schema *arrow.Schema, label string) []string {
	text, ok := schema.Metadata().GetValue("huggingface")
	if !ok {
		return nil
	}
	var meta struct {
		Info struct {
			Features map[string]json.RawMessage
		}
	}
	var feature struct{ Names []string }
	if json.Unmarshal([]byte(text), &meta) != nil || json.Unmarshal(meta.Info.Features[label], &feature) != nil {
		return nil // other people's metadata: names are a courtesy
	}
	return feature.Names
}

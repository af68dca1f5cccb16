package latent

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"moncae/internal/arch"
	"moncae/internal/metakey"
)

// Version is the version of the format that this package writes.
const Version = "1"

// The columns.
const (
	colID     = "id"
	colLatent = "latent"
	colLabel  = "label"
	colPath   = "path"
	colSplit  = "split"
	colError  = "error"
)

// ColumnImage stands in the place of latents in files of images.
const ColumnImage = "image"

var elements = map[DType]arrow.DataType{
	Float32: arrow.PrimitiveTypes.Float32,
	Float16: arrow.FixedWidthTypes.Float16,
	Int8:    arrow.PrimitiveTypes.Int8,
	Uint8:   arrow.PrimitiveTypes.Uint8,
}

// schema is the Arrow schema of a file with m and o.
func schema(m Meta, o Options) *arrow.Schema {
	fields := []arrow.Field{
		{Name: colID, Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: orElse(m.Column, colLatent), Type: latentType(m.Shape, o), Nullable: true},
		{Name: colLabel, Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}
	if m.Paths {
		fields = append(fields, arrow.Field{Name: colPath, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	if m.Splits {
		fields = append(fields, arrow.Field{Name: colSplit, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	if m.Errors {
		fields = append(fields, arrow.Field{Name: colError, Type: arrow.PrimitiveTypes.Float32, Nullable: true})
	}
	md := arrow.MetadataFrom(m.pairs())
	return arrow.NewSchema(fields, &md)
}

func latentType(s arch.Shape, o Options) arrow.DataType {
	switch {
	case o.Format == Parquet: // arrow/go v17 writes fixed-size lists to Parquet as nulls
		return arrow.ListOf(elements[o.DType])
	case o.Layout == List:
		return arrow.FixedSizeListOf(int32(s.Values()), elements[o.DType])
	}
	return newTensorType(elements[o.DType], []int64{int64(s.C), int64(s.H), int64(s.W)}, []string{"C", "H", "W"})
}

// pairs are the metadata in keys and values; what is unknown has no key.
func (m Meta) pairs() map[string]string {
	p := map[string]string{metakey.Shape: mustJSON(m.Shape)}
	if m.Column == "" {
		p[metakey.Latents] = Version
	}
	for k, v := range map[string]string{
		metakey.Run: m.Run, metakey.Encoder: m.Encoder, metakey.Decoder: m.Decoder, metakey.Arch: m.Arch,
		metakey.Dataset: m.Dataset, metakey.Fingerprint: m.Fingerprint, metakey.Preprocess: m.Preprocess,
	} {
		if v != "" {
			p[k] = v
		}
	}
	if m.Classes != nil {
		p[metakey.Classes] = mustJSON(m.Classes)
	}
	if m.Quant != nil {
		p[metakey.Scale] = mustJSON(m.Quant.Scale)
		p[metakey.ZeroPoint] = mustJSON(m.Quant.ZeroPoint)
	}
	return p
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("latent: " + err.Error())
	}
	return string(b)
}

// stringTypes are the types of a column of texts.
var stringTypes = []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView}

// metaFromSchema reads the metadata and the columns back, and says how the
// latents are stored.
func metaFromSchema(sc *arrow.Schema) (Meta, DType, error) {
	get := func(key string) string {
		v, _ := sc.Metadata().GetValue(key)
		return v
	}
	if v := get(metakey.Latents); v != "" && v != Version {
		return Meta{}, "", fmt.Errorf("metadata %s: version %.20q; this moncae reads version %s", metakey.Latents, v, Version)
	}
	m := Meta{
		Run: get(metakey.Run), Encoder: get(metakey.Encoder), Decoder: get(metakey.Decoder), Arch: get(metakey.Arch),
		Dataset: get(metakey.Dataset), Fingerprint: get(metakey.Fingerprint), Preprocess: get(metakey.Preprocess),
	}
	if err := fromJSON(get, metakey.Classes, &m.Classes); err != nil {
		return m, "", err
	}
	column := func(name string, want ...arrow.DataType) (bool, error) {
		at := sc.FieldIndices(name)
		if len(at) == 0 {
			return false, nil
		}
		t := sc.Field(at[0]).Type
		if len(at) > 1 || !slices.ContainsFunc(want, func(w arrow.DataType) bool { return arrow.TypeEqual(t, w) }) {
			return false, fmt.Errorf("column %s is %v, wanted is one of %v", name, t, want[0])
		}
		return true, nil
	}
	if ok, err := column(colID, arrow.PrimitiveTypes.Int64); err != nil || !ok {
		return m, "", orError(err, "there is no column %s (int64)", colID)
	}
	if _, err := column(colLabel, arrow.PrimitiveTypes.Int64); err != nil {
		return m, "", err
	}
	var err error
	if m.Paths, err = column(colPath, stringTypes...); err != nil {
		return m, "", err
	}
	if m.Splits, err = column(colSplit, stringTypes...); err != nil {
		return m, "", err
	}
	if m.Errors, err = column(colError, arrow.PrimitiveTypes.Float32); err != nil {
		return m, "", err
	}
	dtype, err := m.readLatentField(sc, get)
	if err != nil {
		return m, "", err
	}
	return m, dtype, m.readQuant(get, dtype)
}

func (m *Meta) readLatentField(sc *arrow.Schema, get func(string) string) (DType, error) {
	at := sc.FieldIndices(colLatent)
	if len(at) != 1 {
		return "", fmt.Errorf("there are %d columns %s, wanted is one", len(at), colLatent)
	}
	var dims []int64
	if err := fromJSON(get, metakey.Shape, &dims); err != nil {
		return "", err
	}
	elem, length := arrow.DataType(nil), int64(-1)
	switch t := sc.Field(at[0]).Type.(type) {
	case *tensorType:
		elem, length, dims = t.Storage.(*arrow.FixedSizeListType).Elem(), t.values(), t.shape
	case *arrow.FixedSizeListType:
		elem, length = t.Elem(), int64(t.Len())
	case *arrow.ListType:
		elem = t.Elem()
	case *arrow.LargeListType:
		elem = t.Elem()
	default:
		return "", fmt.Errorf("column %s is %v, wanted is a tensor or a list of numbers", colLatent, t)
	}
	if dims == nil && length > 0 {
		dims = []int64{length}
	}
	shape, err := shapeOf(dims)
	if err != nil {
		return "", fmt.Errorf("column %s: %w (a list needs the metadata %s, [C,H,W])", colLatent, err, metakey.Shape)
	}
	if length >= 0 && int64(shape.Values()) != length {
		return "", fmt.Errorf("column %s: lists of %d values, the shape %v has %d", colLatent, length, shape, shape.Values())
	}
	m.Shape = shape
	for _, d := range []DType{Float32, Float16, Int8} {
		if arrow.TypeEqual(elem, elements[d]) {
			return d, nil
		}
	}
	return "", fmt.Errorf("column %s holds %v, wanted are float32, float16 or int8", colLatent, elem)
}

// maxValues bounds one row, so that sizes stay far from overflowing.
const maxValues = 1 << 28

// shapeOf reads one to three sides as C, H, W; missing ones are 1.
func shapeOf(dims []int64) (arch.Shape, error) {
	if len(dims) < 1 || len(dims) > 3 {
		return arch.Shape{}, fmt.Errorf("a shape of %d sides, wanted are 1 to 3", len(dims))
	}
	n := int64(1)
	for _, d := range dims {
		if d < 1 || d > maxValues || n*d > maxValues {
			return arch.Shape{}, fmt.Errorf("the shape %v has a side below 1, or more than %d values", dims, maxValues)
		}
		n *= d
	}
	full := append(slices.Clone(dims), 1, 1)
	return arch.Shape{C: int(full[0]), H: int(full[1]), W: int(full[2])}, nil
}

func (m *Meta) readQuant(get func(string) string, dtype DType) error {
	var q Quant
	if err := fromJSON(get, metakey.Scale, &q.Scale); err != nil {
		return err
	}
	if err := fromJSON(get, metakey.ZeroPoint, &q.ZeroPoint); err != nil {
		return err
	}
	if dtype != Int8 {
		return nil
	}
	m.Quant = &q
	return q.check(m.Shape.C)
}

func fromJSON(get func(string) string, key string, to any) error {
	text := get(key)
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return fmt.Errorf("metadata %s: %w", key, err)
	}
	return nil
}

func orError(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf(format, args...)
}

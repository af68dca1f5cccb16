package latent

import (
	"math"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"moncae/internal/half"
)

// encoder makes record batches of rows. A record is valid until the next call,
// and as long as the rows' slices don't change.
type encoder struct {
	meta   Meta
	opts   Options
	schema *arrow.Schema
	half   []uint16
	small  []int8
	pixels []uint8
}

// ToPixels writes 255·x, rounded and within 0 … 255, for every x.
func ToPixels(to []uint8, x []float32) {
	for i, v := range x {
		to[i] = uint8(min(max(math.RoundToEven(float64(v)*255), 0), 255))
	}
}

func newEncoder(m Meta, o Options) *encoder {
	return &encoder{meta: m, opts: o, schema: schema(m, o)}
}

func (e *encoder) record(r Rows) (arrow.Record, error) {
	stored, err := e.stored(r)
	if err != nil {
		return nil, err
	}
	n := r.Len()
	columns := []arrow.Array{numbers(arrow.PrimitiveTypes.Int64, r.IDs), e.latents(n, stored), labels(r)}
	if e.meta.Paths {
		columns = append(columns, texts(r.Paths))
	}
	if e.meta.Splits {
		columns = append(columns, texts(r.Splits))
	}
	if e.meta.Errors {
		columns = append(columns, numbers(arrow.PrimitiveTypes.Float32, r.Errors))
	}
	return array.NewRecord(e.schema, columns, int64(n)), nil
}

// stored are the rows' latents as the file holds them: for float32 the caller's
// own memory.
func (e *encoder) stored(r Rows) ([]byte, error) {
	values := e.meta.Shape.Values()
	for i, v := range r.Latents {
		if v-v != 0 || (e.opts.DType == Float16 && !half.Fits(v)) {
			return nil, errNotFinite(r.IDs[i/values], v, e.opts.DType)
		}
	}
	switch n := len(r.Latents); e.opts.DType {
	case Float16:
		if cap(e.half) < n {
			e.half = make([]uint16, n)
		}
		for i, v := range r.Latents {
			e.half[:n][i] = half.Of(v)
		}
		return bytesOf(e.half[:n]), nil
	case Int8:
		if cap(e.small) < n {
			e.small = make([]int8, n)
		}
		e.meta.Quant.encode(e.small[:n], r.Latents, e.meta.Shape)
		return bytesOf(e.small[:n]), nil
	case Uint8:
		if cap(e.pixels) < n {
			e.pixels = make([]uint8, n)
		}
		ToPixels(e.pixels[:n], r.Latents)
		return e.pixels[:n], nil
	}
	return bytesOf(r.Latents), nil
}

func (e *encoder) latents(n int, stored []byte) arrow.Array {
	values := e.meta.Shape.Values()
	child := array.NewData(elements[e.opts.DType], n*values, []*memory.Buffer{nil, memory.NewBufferBytes(stored)}, nil, 0, 0)
	buffers := []*memory.Buffer{nil}
	if e.opts.Format == Parquet {
		offsets := make([]int32, n+1)
		for i := range offsets {
			offsets[i] = int32(i * values)
		}
		buffers = append(buffers, memory.NewBufferBytes(bytesOf(offsets)))
	}
	return array.MakeFromData(array.NewData(latentType(e.meta.Shape, e.opts), n, buffers, []arrow.ArrayData{child}, 0, 0))
}

func labels(r Rows) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.Reserve(r.Len())
	for i := range r.Len() {
		if r.Labels == nil || r.Labels[i] == NoLabel {
			b.AppendNull()
		} else {
			b.UnsafeAppend(r.Labels[i])
		}
	}
	return b.NewArray()
}

func texts(s []string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.AppendValues(s, nil)
	return b.NewArray()
}

func numbers[T int64 | float32](t arrow.DataType, v []T) arrow.Array {
	return array.MakeFromData(array.NewData(t, len(v), []*memory.Buffer{nil, memory.NewBufferBytes(bytesOf(v))}, nil, 0, 0))
}

// bytesOf is the memory of s. Arrow writes the machine's own byte order and
// says which in the schema.
func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// Round gives what a reader of the file gets instead of latents (whole rows),
// in place: the values after the way through the file's element type.
func (m Meta) Round(latents []float32, d DType) {
	switch d {
	case Float16:
		for i, v := range latents {
			latents[i] = half.Values()[half.Of(v)]
		}
	case Int8:
		m.Quant.Round(latents, m.Shape)
	case Float32:
	default:
		panic("latent: dtype " + string(d))
	}
}

// recordRows is how many rows from the first on make a record batch of at most
// limit bytes; at least one.
func recordRows(r Rows, m Meta, d DType, limit int) int {
	size := 0
	for i := range r.Len() {
		size += r.bytes(i, m.Shape, d)
		if i > 0 && (size > limit || (i+1)*m.Shape.Values() > math.MaxInt32) {
			return i
		}
	}
	return r.Len()
}

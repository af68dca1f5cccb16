package latent

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/float16"

	"moncae/internal/half"
)

// decoder turns record batches into rows. The rows are valid until the next
// call.
type decoder struct {
	meta    Meta
	dtype   DType
	latents []float32
}

// rows reads one record batch. Arrays that lie about their lengths make arrow
// panic: here that is an error.
func (d *decoder) rows(rec arrow.Record) (r Rows, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the columns don't hold together")
		}
	}()
	for i := range int(rec.NumCols()) {
		col := rec.Column(i)
		if col.Len() != int(rec.NumRows()) {
			return r, fmt.Errorf("column %s has %d rows of %d", rec.ColumnName(i), col.Len(), rec.NumRows())
		}
		if err := d.column(&r, rec.ColumnName(i), col); err != nil {
			return r, fmt.Errorf("column %s: %w", rec.ColumnName(i), err)
		}
	}
	return r, nil
}

func (d *decoder) column(r *Rows, name string, col arrow.Array) (err error) {
	switch name {
	case colLabel:
		r.Labels = d.labels(col.(*array.Int64))
		return nil
	case colID:
		r.IDs = col.(*array.Int64).Int64Values()
	case colLatent:
		r.Latents, err = d.values(col)
	case colPath:
		r.Paths = textsOf(col.(array.StringLike))
	case colSplit:
		r.Splits = textsOf(col.(array.StringLike))
	case colError:
		r.Errors = col.(*array.Float32).Float32Values()
	default:
		return nil // a column of somebody else's
	}
	if err == nil && col.NullN() > 0 {
		err = fmt.Errorf("%d of %d values are null", col.NullN(), col.Len())
	}
	return err
}

// labels is nil where every label is null.
func (d *decoder) labels(col *array.Int64) []int64 {
	if col.NullN() == col.Len() && col.Len() > 0 {
		return nil
	}
	if col.NullN() == 0 {
		return col.Int64Values()
	}
	labels := make([]int64, col.Len())
	for i := range labels {
		if labels[i] = NoLabel; col.IsValid(i) {
			labels[i] = col.Value(i)
		}
	}
	return labels
}

func textsOf(col array.StringLike) []string {
	s := make([]string, col.Len())
	for i := range s {
		s[i] = col.Value(i)
	}
	return s
}

// values are the latents of a column as float32.
func (d *decoder) values(col arrow.Array) ([]float32, error) {
	want := col.Len() * d.meta.Shape.Values()
	child, from, err := d.child(col)
	if err != nil {
		return nil, err
	}
	if child.Len()-from < want {
		return nil, fmt.Errorf("%d values for %d rows of %v", child.Len()-from, col.Len(), d.meta.Shape)
	}
	if child.NullN() > 0 {
		return nil, errors.New("null values inside the latents")
	}
	if f, ok := child.(*array.Float32); ok {
		return f.Float32Values()[from : from+want], nil
	}
	if cap(d.latents) < want {
		d.latents = make([]float32, want)
	}
	to := d.latents[:want]
	switch c := child.(type) {
	case *array.Float16:
		bits, table := float16Bits(c.Values()[from:from+want]), half.Values()
		for i, h := range bits {
			to[i] = table[h]
		}
	case *array.Int8:
		d.meta.Quant.decode(to, c.Int8Values()[from:from+want], d.meta.Shape)
	default:
		return nil, fmt.Errorf("elements are %v", child.DataType())
	}
	return to, nil
}

// child is the array of all rows' values, and where the first row begins.
func (d *decoder) child(col arrow.Array) (child arrow.Array, from int, err error) {
	values := d.meta.Shape.Values()
	switch c := col.(type) {
	case *tensorArray:
		return d.child(c.Storage())
	case *array.FixedSizeList:
		return c.ListValues(), c.Data().Offset() * values, nil
	case array.ListLike:
		if c.Len() == 0 {
			return c.ListValues(), 0, nil
		}
		first, _ := c.ValueOffsets(0)
		for i := range c.Len() {
			start, end := c.ValueOffsets(i)
			if start != first+int64(i*values) || end-start != int64(values) {
				return nil, 0, fmt.Errorf("row %d has %d values, the shape %v takes %d", i, end-start, d.meta.Shape, values)
			}
		}
		return c.ListValues(), int(first), nil
	}
	return nil, 0, fmt.Errorf("%v is no list", col.DataType())
}

// float16Bits are the numbers' bits; float16.Num is one uint16.
func float16Bits(v []float16.Num) []uint16 {
	return arrow.GetData[uint16](arrow.Float16Traits.CastToBytes(v))
}

package latent

import (
	"fmt"

	"moncae/internal/arch"
)

// NoLabel marks a row without a label: a null in the file.
const NoLabel = -1

// Rows are some rows of a file, column by column.
type Rows struct {
	IDs     []int64
	Latents []float32 // rows·C·H·W, NCHW
	Labels  []int64   // nil (no labels), or one a row: a class number or NoLabel
	Paths   []string  // exactly if Meta.Paths
	Splits  []string  // exactly if Meta.Splits
	Errors  []float32 // exactly if Meta.Errors: the mean squared error of what a decoder gives back
}

// Len is the number of rows.
func (r Rows) Len() int { return len(r.IDs) }

// Slice is a view of the rows from i up to j; values are those of one row.
func (r Rows) Slice(i, j, values int) Rows {
	s := Rows{IDs: r.IDs[i:j], Latents: r.Latents[i*values : j*values]}
	if r.Labels != nil {
		s.Labels = r.Labels[i:j]
	}
	if r.Paths != nil {
		s.Paths = r.Paths[i:j]
	}
	if r.Splits != nil {
		s.Splits = r.Splits[i:j]
	}
	if r.Errors != nil {
		s.Errors = r.Errors[i:j]
	}
	return s
}

// Append adds copies of other's rows.
func (r *Rows) Append(other Rows) {
	labels := other.Labels
	if r.Labels == nil && labels != nil { // earlier rows had none
		r.Labels = noLabels(r.Len())
	} else if r.Labels != nil && labels == nil {
		labels = noLabels(other.Len())
	}
	r.IDs = append(r.IDs, other.IDs...)
	r.Latents = append(r.Latents, other.Latents...)
	r.Labels = append(r.Labels, labels...)
	r.Paths = append(r.Paths, other.Paths...)
	r.Splits = append(r.Splits, other.Splits...)
	r.Errors = append(r.Errors, other.Errors...)
}

func noLabels(n int) []int64 {
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = NoLabel
	}
	return labels
}

// check panics where the columns don't fit each other and the meta: a bug of
// the caller.
func (r Rows) check(m Meta) {
	n := r.Len()
	for _, c := range []struct {
		name   string
		length int
		there  bool
	}{
		{"latents", len(r.Latents) / m.Shape.Values(), true},
		{colLabel, len(r.Labels), r.Labels != nil},
		{colPath, len(r.Paths), m.Paths},
		{colSplit, len(r.Splits), m.Splits},
		{colError, len(r.Errors), m.Errors},
	} {
		if c.there && c.length != n {
			panic(fmt.Sprintf("latent: %d rows, but %d values in the column %s", n, c.length, c.name))
		}
	}
}

// bytes is an upper bound of row i's size in a record batch.
func (r Rows) bytes(i int, s arch.Shape, d DType) int {
	n := s.Values()*d.Bytes() + 8 + 8 + 4 + 1
	if r.Paths != nil {
		n += len(r.Paths[i]) + 4
	}
	if r.Splits != nil {
		n += len(r.Splits[i]) + 4
	}
	return n
}

package ort

import "context"

// Source fills buffer with the values of the rows from … to−1, or gives memory of
// its own that holds them.
type Source func(buffer []float32, from, to int) []float32

// FloatRows reads rows of so many values each, without a copy.
func FloatRows(rows []float32, values int) Source {
	return func(_ []float32, from, to int) []float32 { return rows[from*values : to*values] }
}

// ByteRows reads rows of bytes as values in [0, 1], float32(v)/float32(255).
func ByteRows(rows []uint8, values int) Source {
	return func(buffer []float32, from, to int) []float32 {
		for i, v := range rows[from*values : to*values] {
			buffer[i] = float32(v) / 255
		}
		return buffer
	}
}

// Rows runs rows through a session of one float32 input and one float32 output, so
// many at once, and hands out what comes of the rows from … to−1; the memory is
// used again.
func (s *Session) Rows(ctx context.Context, rows, batch int, x Source, use func(y []float32, from, to int)) error {
	in, out := s.Inputs()[0].Dims, s.Outputs()[0].Dims
	perIn, perOut := perRow(in), perRow(out)
	batch = min(rows, batch)
	ins, outs := make([]float32, batch*perIn), make([]float32, batch*perOut)
	for from := 0; from < rows; from += batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+batch, rows)
		n := to - from
		y := outs[:n*perOut]
		err := s.Run([]Tensor{Floats(x(ins[:n*perIn], from, to), batchOf(in, n)...)}, []Tensor{Floats(y, batchOf(out, n)...)})
		if err != nil {
			return err
		}
		use(y, from, to)
	}
	return nil
}

// RowValues are the values of a row of the first input.
func (s *Session) RowValues() int { return perRow(s.Inputs()[0].Dims) }

func perRow(dims []int64) int {
	n := 1
	for _, d := range dims[1:] {
		n *= int(d)
	}
	return n
}

func batchOf(dims []int64, rows int) []int64 { return append([]int64{int64(rows)}, dims[1:]...) }

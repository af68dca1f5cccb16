package classify

import (
	"context"

	"moncae/internal/ort"
)

// forwardBatch is the number of rows that a session is given at once.
const forwardBatch = 256

// source fills buffer with the float32 values of the rows from … to−1, or gives
// memory of its own that holds them.
type source func(buffer []float32, from, to int) []float32

// floatRows reads rows that are float32 already, without a copy.
func floatRows(features []float32, values int) source {
	return func(_ []float32, from, to int) []float32 { return features[from*values : to*values] }
}

// byteRows reads rows of bytes as values in [0, 1], float32(v)/float32(255).
func byteRows(images []uint8, values int) source {
	return func(buffer []float32, from, to int) []float32 {
		for i, v := range images[from*values : to*values] {
			buffer[i] = float32(v) / 255
		}
		return buffer
	}
}

// forward runs rows through a session with one input and one output, and gives
// the outputs one after the other. progress, where not nil, hears of rows done.
func forward(ctx context.Context, s *ort.Session, rows int, x source, progress func(done, rows int)) ([]float32, error) {
	in, out := s.Inputs()[0].Dims, s.Outputs()[0].Dims
	perIn, perOut := perRow(in), perRow(out)
	all := make([]float32, rows*perOut)
	buffer := make([]float32, min(rows, forwardBatch)*perIn)
	for from := 0; from < rows; from += forwardBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+forwardBatch, rows)
		ins := ort.Floats(x(buffer[:(to-from)*perIn], from, to), batchOf(in, to-from)...)
		outs := ort.Floats(all[from*perOut:to*perOut], batchOf(out, to-from)...)
		if err := s.Run([]ort.Tensor{ins}, []ort.Tensor{outs}); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(to, rows)
		}
	}
	return all, nil
}

func perRow(dims []int64) int {
	n := 1
	for _, d := range dims[1:] {
		n *= int(d)
	}
	return n
}

func batchOf(dims []int64, rows int) []int64 {
	return append([]int64{int64(rows)}, dims[1:]...)
}

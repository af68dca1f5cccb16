package classify

import (
	"context"
	"math"

	"moncae/internal/ort"
)

// leastProbability keeps the logarithm of a saturated float32 sigmoid finite.
const leastProbability = 1e-7

// lossOf decodes test latents, batch by batch, and compares with the images.
func lossOf(ctx context.Context, decoder *ort.Session, test *latents, x *images) (float64, error) {
	per, values := x.shape.Values(), test.shape.Values()
	in, out := decoder.Inputs()[0].Dims, decoder.Outputs()[0].Dims
	buffer := make([]float32, forwardBatch*per)
	sum := 0.0
	for from := 0; from < test.rows(); from += forwardBatch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		to := min(from+forwardBatch, test.rows())
		n := to - from
		ins := ort.Floats(test.features[from*values:to*values], batchOf(in, n)...)
		outs := ort.Floats(buffer[:n*per], batchOf(out, n)...)
		if err := decoder.Run([]ort.Tensor{ins}, []ort.Tensor{outs}); err != nil {
			return 0, err
		}
		sum += crossEntropy(buffer[:n*per], x.test[from*per:to*per])
	}
	return sum / float64(test.rows()*per), nil
}

// crossEntropy sums −t·ln p − (1−t)·ln(1−p) over pixels, t = byte/255.
func crossEntropy(p []float32, pixels []uint8) float64 {
	sum := 0.0
	for i, v := range pixels {
		t, q := float64(v)/255, min(max(float64(p[i]), leastProbability), 1-leastProbability)
		sum -= t*math.Log(q) + (1-t)*math.Log1p(-q)
	}
	return sum
}

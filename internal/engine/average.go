package engine

import "math"

// AverageMomentum is the weight of the past in running averages.
const AverageMomentum = 0.9

// Average is the running average of a batch statistic: avg = 0.9·avg + 0.1·batch
// from 0, divided by 1 − 0.9ᵗ after t batches, so that a short training is not
// judged by half-filled averages. Before the first batch it is what it started
// with. Variances are averaged as they are, biased.
type Average struct {
	start, sum []float32
	steps      int
}

// NewAverage starts an average at the given values, which it copies.
func NewAverage(start []float32) *Average {
	return &Average{start: append([]float32(nil), start...), sum: make([]float32, len(start))}
}

// Sum is the sum behind the average, not bias-corrected.
func (a *Average) Sum() []float64 {
	sum := make([]float64, len(a.sum))
	for i, s := range a.sum {
		sum[i] = float64(s)
	}
	return sum
}

// Restore goes on from the sum of so many batches.
func (a *Average) Restore(sum []float64, steps int) {
	a.steps = steps
	for i, s := range sum {
		a.sum[i] = float32(s)
	}
}

// Add takes in one batch's statistic.
func (a *Average) Add(batch []float32) {
	a.steps++
	for i, b := range batch {
		a.sum[i] = float32(AverageMomentum*float64(a.sum[i]) + (1-AverageMomentum)*float64(b))
	}
}

// Read writes the bias-corrected average to dst.
func (a *Average) Read(dst []float32) {
	if a.steps == 0 {
		copy(dst, a.start)
		return
	}
	weight := 1 - math.Pow(AverageMomentum, float64(a.steps))
	for i, s := range a.sum {
		dst[i] = float32(float64(s) / weight)
	}
}

// Package surrogate guesses what a training will come to from what is known
// before it: features of the network and its recipe, a prior learned once over
// several data sets, and a Gaussian process over the trainings seen.
//
// What is guessed is Level: the log odds of a loss's share of what learning can win.
// The package is pure. Fit costs O(n³) for n observations, ten milliseconds for a
// hundred; Predict O(n²), some microseconds.
package surrogate

import "math"

// Target is the scale on which an objective is guessed. Both ends bound it: near
// either, results differ by less. A latent of one value leaves nearly all of the loss,
// and no recipe changes that by a tenth; by the share's logarithm alone it promised to
// the end what it couldn't keep.
type Target struct {
	Floor   float64 // what no value is below
	Nothing float64 // without learning
}

// worst is the level of what learned next to nothing, or less, or failed: how much
// less says nothing about others. It is a share of 0.95.
const worst = 3

// Level puts a value of the objective on the scale; a NaN is a failure.
func (t Target) Level(value float64) float64 {
	share := (value - t.Floor) / (t.Nothing - t.Floor)
	if math.IsNaN(share) || share >= 1 {
		return worst
	}
	share = max(share, 1e-4)
	return min(math.Log(share/(1-share)), worst)
}

// Value is Level's inverse.
func (t Target) Value(level float64) float64 {
	return t.Floor + (t.Nothing-t.Floor)/(1+math.Exp(-level))
}

package algorithm

import (
	"cmp"
	"math"
	"slices"

	"moncae/internal/arch"
	"moncae/search/moo"
)

// Course is a training as it is judged before its end. Losses are above the floor,
// below which none is.
type Course struct {
	Exact    moo.Point // the objectives that no training changes
	Schedule arch.Schedule
	Rungs    []float64 // the losses at the rungs, as far as it came
	Final    float64   // NaN for one that was stopped or failed
}

// What a judgement needs: trainings with the schedule that came to their end, and
// which of the gains that they made after a rung is granted: one in so many was larger.
const (
	judges   = 6
	unlikely = 10
	least    = 1e-3 // of a loss is left, whatever was seen
)

// Bars gives, for each of so many rungs, the loss above which a training can't come
// onto the front: where even a gain that few of those told made after the rung would
// leave it above the best loss that was told with no larger exact objectives, and
// above the reference's. 0 is no bar.
func Bars(told []Course, c Course, rungs int, reference float64) []float64 {
	best := reference
	for _, t := range told {
		if t.Final < best && noLarger(t.Exact, c.Exact) {
			best = t.Final
		}
	}
	bars := make([]float64, rungs)
	for r := range bars {
		var gains []float64 // what was left of the loss
		for _, t := range told {
			if t.Schedule == c.Schedule && len(t.Rungs) > r && !math.IsNaN(t.Final) && t.Rungs[r] > 0 {
				gains = append(gains, min(t.Final/t.Rungs[r], 1))
			}
		}
		if len(gains) < judges {
			continue
		}
		slices.SortFunc(gains, cmp.Compare)
		bars[r] = best / max(gains[len(gains)/unlikely], least)
	}
	return bars
}

// noLarger tells whether no number of a is larger than that of b.
func noLarger(a, b moo.Point) bool {
	for i := range a {
		if a[i] > b[i] {
			return false
		}
	}
	return true
}

package algorithm

import (
	"math"
	"slices"
	"testing"

	"moncae/internal/arch"
	"moncae/search/moo"
)

func TestBars(t *testing.T) {
	// Eight ended trainings of size 2 that halve their loss after the first rung, and
	// have a quarter more than their last after the second.
	var told []Course
	for i := range 8 {
		final := 0.2 + 0.1*float64(i)
		told = append(told, Course{moo.Point{2}, arch.Constant, []float64{2 * final, 1.25 * final}, final})
	}
	size := func(loc float64, s arch.Schedule) Course { return Course{Exact: moo.Point{loc}, Schedule: s} }
	for name, x := range map[string]struct {
		told []Course
		of   Course
		want []float64
	}{
		"the front's loss at its size":     {told, size(2, arch.Constant), []float64{0.4, 0.25}},
		"a larger one has to be as good":   {told, size(3, arch.Constant), []float64{0.4, 0.25}},
		"none so small: the reference":     {told, size(1, arch.Constant), []float64{2, 1.25}},
		"no course of its schedule":        {told, size(2, arch.OneCycle), []float64{0, 0}},
		"too few":                          {told[:5], size(2, arch.Constant), []float64{0, 0}},
		"what was stopped tells no end":    {append(slices.Clone(told[:5]), Course{nil, arch.Constant, []float64{9}, math.NaN()}), size(2, arch.Constant), []float64{0, 0}},
		"one that got worse grants no bar": {worse(told), size(2, arch.Constant), []float64{0.2, 0.2}},
	} {
		got := Bars(x.told, x.of, 2, 1)
		for i := range x.want {
			if math.Abs(got[i]-x.want[i]) > 1e-12 {
				t.Errorf("%s: %v, want %v", name, got, x.want)
				break
			}
		}
	}
}

// worse are courses that ended above their rungs.
func worse(told []Course) []Course {
	var out []Course
	for _, c := range told {
		c.Rungs = []float64{c.Final / 2, c.Final / 2}
		out = append(out, c)
	}
	return out
}

// One of ten may gain more than what is granted.
func TestBarsGrantWhatFewGain(t *testing.T) {
	var told []Course
	for i := range 20 {
		left := 0.5 + 0.02*float64(i)
		told = append(told, Course{moo.Point{1}, arch.Constant, []float64{1}, left})
	}
	bar := Bars(told, Course{Exact: moo.Point{1}, Schedule: arch.Constant}, 1, 1)[0]
	stopped := 0
	for _, c := range told {
		if c.Final/c.Rungs[0]*bar > 0.5 { // at the bar, it would end above the front
			stopped++
		}
	}
	if bar <= 0.5 || stopped != 18-1 {
		t.Errorf("bar %v: %d of 20 courses would end above the front from there", bar, stopped)
	}
}

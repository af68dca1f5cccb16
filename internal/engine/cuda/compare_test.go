//go:build nvidia && linux && amd64

package cuda

import (
	"testing"

	"moncae/internal/engine"
)

// otherPlans is how many fitting plans the fake cuDNN has behind the chosen one: engine 15,
// which rounds to TF32, is followed by 16, which wants an even number of outputs, and that by
// the fallback, 1.
func otherPlans(c engine.Comparison) int {
	switch even := c.Output[2]%2 == 0; {
	case c.Engine == 15 && even:
		return 2
	case c.Engine == 15 || c.Engine == 16:
		return 1
	}
	return 0
}

// TestPeaks: the device is measured, and a program says what bounds it.
func TestPeaks(t *testing.T) {
	e := openFake(t)
	peaks, err := e.(engine.Peaker).Peaks(engine.TF32)
	if err != nil {
		t.Fatal(err)
	}
	if !(peaks.Bytes > 0) || !(peaks.MACs > 0) || peaks.Devices < 1 {
		t.Errorf("peaks are %+v", peaks)
	}
	j := newJob(t, e)
	program, err := j.compile()
	if err != nil {
		t.Fatal(err)
	}
	var sum engine.Cost
	for _, c := range program.(engine.Costed).StepCosts() {
		sum.Bytes, sum.MACs = sum.Bytes+c.Bytes, sum.MACs+c.MACs
	}
	batch := int64(j.net.Batch)
	if forward := batch * everyLayer.FLOPs(); sum.MACs <= 2*forward || sum.MACs >= 3*forward || sum.Bytes < batch*int64(everyLayer.Input.Values()) {
		t.Errorf("a step has %+v, a forward pass %d multiply-adds", sum, forward)
	}
	if err := program.Close(); err != nil {
		t.Error(err)
	}
}

// TestCompare: narrow convolutions and others are timed both ways, in every precision,
// and what a training would choose is as before.
func TestCompare(t *testing.T) {
	e := openFake(t)
	comparer := e.(engine.Comparer)
	library := engine.ConvolutionsOf(e).Library != ""
	for _, s := range []engine.Shape{
		{Input: [4]int{2, 5, 6, 1}, Output: [3]int{5, 6, 16}, Kernel: 3, Stride: 1},
		{Input: [4]int{2, 5, 6, 16}, Output: [3]int{3, 3, 4}, Kernel: 3, Stride: 2},
		{Input: [4]int{2, 4, 4, 9}, Output: [3]int{4, 4, 40}, Kernel: 1, Stride: 1},
	} {
		for _, p := range e.Info().Precisions {
			all, err := comparer.Compare(s, p)
			if err != nil {
				t.Fatalf("%+v in %s: %v", s, p, err)
			}
			if len(all) != 3 {
				t.Errorf("%+v in %s: %d products, want 3", s, p, len(all))
			}
			for _, c := range all {
				if c.Input != s.Input || c.Precision != p || c.Own <= 0 || (c.Library > 0) != (library && c.Rank > 0) {
					t.Errorf("%+v in %s: %+v", s, p, c)
				}
				if want := otherPlans(c); library && len(c.Others) != want {
					t.Errorf("%s of %+v in %s: %d other plans, want %d", c.Kind, s, p, len(c.Others), want)
				}
				for _, o := range c.Others {
					if o.Rank <= c.Rank || o.Engine == c.Engine || o.Time <= 0 {
						t.Errorf("%s of %+v in %s: %+v beside engine %d of rank %d", c.Kind, s, p, o, c.Engine, c.Rank)
					}
				}
				if library && c.Rank == 0 {
					t.Errorf("%s of %+v in %s has no plan, of a library that has one for each", c.Kind, s, p)
				}
			}
		}
	}
	newJob(t, e).must(t)
}

//go:build nvidia && linux && amd64

package cuda

import (
	"testing"

	"moncae/internal/engine"
)

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
				if library && c.Rank == 0 {
					t.Errorf("%s of %+v in %s has no plan, of a library that has one for each", c.Kind, s, p)
				}
			}
		}
	}
	newJob(t, e).must(t)
}

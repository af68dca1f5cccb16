package selftest

import (
	"context"
	"fmt"
	"slices"

	"moncae/internal/engine"
)

// compared are convolutions of the sample networks and of images in colour, for which an
// engine may have two ways: the first nine have at most 8 channels on one side.
var compared = []engine.Shape{
	ofSides(28, 1, 16, 3), ofSides(28, 16, 1, 3), ofSides(28, 1, 64, 3), ofSides(28, 64, 1, 3), ofSides(28, 1, 128, 5), ofSides(32, 3, 32, 3), ofSides(32, 32, 3, 3),
	ofSides(14, 16, 8, 3), ofSides(7, 4, 8, 3),
	ofSides(14, 16, 16, 3), ofSides(14, 64, 32, 3), ofSides(7, 32, 16, 3), ofSides(28, 64, 64, 3),
}

const narrow = 8 // channels

func ofSides(side, in, out, kernel int) engine.Shape {
	return engine.Shape{Input: [4]int{speedBatch, side, side, in}, Output: [3]int{side, side, out}, Kernel: kernel, Stride: 1}
}

// alternatives times convolutions by the engine's own kernels, by its library's plan and by
// other plans of it, and counts where another way would be faster: figures, no promise.
func alternatives(_ context.Context, t *trials) error {
	comparer, ok := t.engine.(engine.Comparer)
	for _, p := range t.engine.Info().Precisions {
		err := t.check("alternatives in "+string(p), func() (string, error) {
			if !ok {
				return "", skipped{"the engine has one way to compute a convolution"}
			}
			return t.alternativesIn(comparer, p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *trials) alternativesIn(comparer engine.Comparer, p engine.Precision) (note string, err error) {
	var few, others struct{ products, faster int }
	var plans, missed int
	for _, s := range compared {
		made, err := comparer.Compare(s, p)
		if err != nil {
			return "", fmt.Errorf("%v to %v: %w", s.Input, s.Output, err)
		}
		for _, c := range made {
			if err := t.emit(Entry{Alternative: &c}); err != nil {
				return "", err
			}
			of := &others
			if min(s.Input[3], s.Output[2]) <= narrow {
				of = &few
			}
			of.products++
			if c.Library > 0 && c.Library < c.Own {
				of.faster++
			}
			if len(c.Others) > 0 {
				plans++
			}
			if slices.ContainsFunc(c.Others, func(o engine.Other) bool { return o.Time > 0 && o.Time < 0.9*c.Library }) {
				missed++
			}
		}
	}
	return fmt.Sprintf("the library is faster for %d of %d narrow and %d of %d other products; for %d of %d another of its plans takes less than 0.9 of the chosen one's time",
		few.faster, few.products, others.faster, others.products, missed, plans), nil
}

package search

import (
	"math"
	"math/rand/v2"

	"moncae/internal/fault"
	"moncae/internal/train"
	"moncae/search/genome"
)

// draws are the networks that stand for a search space.
const draws = 1000

// feasible refuses limits that no network keeps, as far as draws networks tell: each
// training would fail.
func (s *Study) feasible() error {
	leastFLOPs, leastBytes := int64(math.MaxInt64), int64(math.MaxInt64)
	batch := train.Batch(s.config.Batch, len(s.limited))
	limit := s.maxFLOPs()
	rng := rand.New(rand.NewPCG(s.config.Seed, draws))
	for range draws {
		a, _, err := s.config.Space.Decode(s.config.Space.Random(rng), s.set.Shape, genome.Limits{})
		if err != nil {
			continue
		}
		leastFLOPs = min(leastFLOPs, a.FLOPs())
		if limit == 0 || a.FLOPs() <= limit {
			leastBytes = min(leastBytes, a.TrainingBytes(batch))
		}
	}
	if area := int64(s.set.Shape.H * s.set.Shape.W); limit > 0 && leastFLOPs > limit {
		return fault.Usagef("--max-flops %d: the cheapest of %d drawn networks takes %d multiply-adds for each pixel of images of %v: give more, or 0 for no limit",
			s.config.MaxFLOPs, draws, (leastFLOPs+area-1)/area, s.set.Shape)
	}
	if most := s.options.Memory; most > 0 && leastBytes > most {
		return fault.Usagef("--memory: the smallest training of %d drawn networks takes %.1f MiB with batches of %d, there are %.1f MiB: give more, or a smaller --batch",
			draws, mebibytes(leastBytes), batch, mebibytes(most))
	}
	return nil
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// maxFLOPs are the multiply-adds that a network may take for an image; 0: any.
func (s *Study) maxFLOPs() int64 { return s.config.MaxFLOPs * int64(s.set.Shape.H*s.set.Shape.W) }

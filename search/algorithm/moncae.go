package algorithm

import (
	"math"
	"math/rand/v2"

	"moncae/search/moo"
)

// Elites is the share of a population that moncae keeps unchanged, one at least.
const Elites = 0.05

// moncae is the paper's algorithm: parents by roulette on rank-weighted
// contributions to the hypervolume; the largest contributions stay.
type moncae struct{ generational }

func (m *moncae) Tell(t Trial) { m.tell(t, func(ids []string) []string { return ids }) }

func (m *moncae) Ask(k int) Proposal {
	return m.ask(k, func(b *breeder, pool []Trial) {
		ps := points(pool)
		n := max(1, int(math.Round(Elites*float64(m.problem.Population))))
		for _, i := range moo.Elites(ps, m.problem.Reference, n) {
			b.elites = append(b.elites, pool[i].ID)
		}
		weights := moo.RouletteWeights(ps, m.problem.Reference)
		b.choose = func(rng *rand.Rand) Trial { return pool[moo.Roulette(weights, rng)] }
	})
}

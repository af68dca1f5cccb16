package algorithm

import (
	"math/rand/v2"

	"moncae/search/moo"
)

// smsemoa is SMS-EMOA (Beume, Naujoks and Emmerich 2007) with whole generations:
// parents uniformly; who contributes least leaves.
type smsemoa struct{ generational }

func (m *smsemoa) Tell(t Trial) {
	m.tell(t, func(ids []string) []string {
		return m.survive(ids, func(ps []moo.Point) []int { return moo.SurviveSMS(ps, m.problem.Reference, m.problem.Population) })
	})
}

func (m *smsemoa) Ask(k int) Proposal {
	return m.ask(k, func(b *breeder, pool []Trial) {
		b.choose = func(rng *rand.Rand) Trial { return pool[rng.IntN(len(pool))] }
	})
}

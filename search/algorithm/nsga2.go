package algorithm

import (
	"math/rand/v2"

	"moncae/search/moo"
)

// nsga2 is NSGA-II (Deb et al. 2002): parents by a tournament on rank and
// crowding; the crowded leave.
type nsga2 struct{ generational }

func (m *nsga2) Tell(t Trial) {
	m.tell(t, func(ids []string) []string {
		return m.survive(ids, func(ps []moo.Point) []int { return moo.SurviveNSGA2(ps, m.problem.Population) })
	})
}

func (m *nsga2) Ask(k int) Proposal {
	return m.ask(k, func(b *breeder, pool []Trial) {
		rank, crowding := moo.Crowded(points(pool))
		b.choose = func(rng *rand.Rand) Trial { return pool[moo.Tournament(rank, crowding, rng)] }
	})
}

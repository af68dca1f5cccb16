package algorithm

import (
	"math/rand/v2"

	"moncae/search/moo"
)

// generational is what algorithms share that plan a generation from those before.
type generational struct {
	problem    Problem
	trials     map[string]Trial // by id
	places     []string         // ids of the places told of the generation under way
	population []string
	told       int
	brood      *breeder // of the generation that is asked for
}

func newGenerational(p Problem) generational {
	return generational{problem: p, trials: map[string]Trial{}}
}

func (g *generational) Sees(k int) int { return k - k%g.problem.Population }

func (g *generational) Population() []string { return g.population }

// tell takes a result in; survivors is called with the ids that took a
// generation's places when it is complete.
func (g *generational) tell(t Trial, survivors func(ids []string) []string) {
	g.trials[t.ID] = t
	g.places = append(g.places, t.ID)
	if g.told++; g.told%g.problem.Population == 0 {
		g.population, g.places = survivors(g.places), nil
	}
}

// ask breeds place k; prepare readies a generation's breeder, whose parents are
// among pool.
func (g *generational) ask(k int, prepare func(b *breeder, pool []Trial)) Proposal {
	if k%g.problem.Population == 0 {
		g.brood = newBreeder(g.problem, k == 0)
		for _, t := range g.trials {
			g.brood.know(t.Identity, t.ID)
		}
		if pool := g.scored(g.population); k > 0 && len(pool) > 0 {
			prepare(g.brood, pool)
		}
	}
	return g.brood.breed(k)
}

// scored are the trials of the given ids that have a score, each once.
func (g *generational) scored(ids []string) []Trial {
	var out []Trial
	seen := map[string]bool{}
	for _, id := range ids {
		if t, ok := g.trials[id]; ok && t.Point != nil && !seen[id] {
			seen[id] = true
			out = append(out, t)
		}
	}
	return out
}

// survive gives the ids of those of population and ids that select keeps.
func (g *generational) survive(ids []string, kept func([]moo.Point) []int) []string {
	pool := g.scored(append(append([]string(nil), g.population...), ids...))
	var survivors []string
	for _, i := range kept(points(pool)) {
		survivors = append(survivors, pool[i].ID)
	}
	return survivors
}

func points(ts []Trial) []moo.Point {
	ps := make([]moo.Point, len(ts))
	for i, t := range ts {
		ps[i] = t.Point
	}
	return ps
}

// parent draws one of a pool.
type parent func(*rand.Rand) Trial

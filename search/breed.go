package search

import (
	"math"
	"math/rand/v2"

	"moncae/internal/arch"
	"moncae/search/genome"
	"moncae/search/moo"
)

// The algorithms.
const (
	Moncae  = "moncae"   // roulette on rank-weighted contributions, elites, crossover, mutation
	SMSEMOA = "sms-emoa" // survivors by contribution; parents uniformly
	NSGA2   = "nsga2"    // survivors by crowding; parents by tournament
	Random  = "random"   // no selection: the control
)

// Algorithms are the names that a configuration may use.
var Algorithms = []string{Moncae, SMSEMOA, NSGA2, Random}

// Elites is the share of a population that moncae keeps unchanged, one at least.
const Elites = 0.05

// redraws is how often a child that is a known network, or none, is drawn again.
const redraws = 10

// slot is one place in a generation: a candidate that exists, or one to be made.
type slot struct {
	known     string     // the id of the candidate that takes the place
	candidate *Candidate // to be recorded
	arch      *arch.Arch // to be trained; nil where the candidate is refused
	seed      uint64
}

// plan makes generation g from the generations before it. It is a pure function
// of them, so that a resumed run plans what was planned.
func (s *Study) plan(g int) []slot {
	pool := s.scored(s.population)
	var slots []slot
	for _, c := range s.elites(g, pool) {
		slots = append(slots, slot{known: c.ID})
	}
	b := breeder{study: s, generation: g, pool: pool, planned: map[string]string{}}
	if g > 0 && s.config.Algorithm != Random && len(pool) > 0 {
		b.choose = s.chooser(pool)
	}
	for i := len(slots); i < s.config.Population; i++ {
		slots = append(slots, b.breed(i))
	}
	return slots
}

func (s *Study) elites(g int, pool []*Candidate) []*Candidate {
	if g == 0 || s.config.Algorithm != Moncae {
		return nil
	}
	n := max(1, int(math.Round(Elites*float64(s.config.Population))))
	var elites []*Candidate
	for _, i := range moo.Elites(s.points(pool), s.reference, n) {
		elites = append(elites, pool[i])
	}
	return elites
}

// chooser draws a parent.
func (s *Study) chooser(pool []*Candidate) func(*rand.Rand) *Candidate {
	points := s.points(pool)
	switch s.config.Algorithm {
	case Moncae:
		weights := moo.RouletteWeights(points, s.reference)
		return func(rng *rand.Rand) *Candidate { return pool[moo.Roulette(weights, rng)] }
	case NSGA2:
		rank, crowding := moo.Crowded(points)
		return func(rng *rand.Rand) *Candidate { return pool[moo.Tournament(rank, crowding, rng)] }
	}
	return func(rng *rand.Rand) *Candidate { return pool[rng.IntN(len(pool))] }
}

// survivors is the population after a generation whose places were taken by ids.
func (s *Study) survivors(ids []string) []string {
	switch s.config.Algorithm {
	case SMSEMOA, NSGA2:
		pool := s.scored(append(append([]string(nil), s.population...), ids...))
		points := s.points(pool)
		kept := moo.SurviveNSGA2(points, s.config.Population)
		if s.config.Algorithm == SMSEMOA {
			kept = moo.SurviveSMS(points, s.reference, s.config.Population)
		}
		ids = nil
		for _, i := range kept {
			ids = append(ids, pool[i].ID)
		}
	}
	return ids
}

// breeder makes a generation's new candidates in order.
type breeder struct {
	study      *Study
	generation int
	pool       []*Candidate
	choose     func(*rand.Rand) *Candidate // nil: random genomes
	planned    map[string]string           // identities of this generation's candidates before, and their ids
	locs       []float64                   // those that spread took before
}

// breed draws a candidate. One that is refused, or whose network is known, is
// drawn again; after that it is recorded as failed, or takes the known result.
func (b *breeder) breed(index int) slot {
	s := b.study
	seed := seedOf(s.config.Seed, b.generation, index, "candidate")
	rng := rand.New(rand.NewPCG(seed, 0))
	c := &Candidate{ID: candidateID(b.generation, index), Generation: b.generation, Index: index}
	if b.generation == 0 && s.config.Spread > 1 {
		if farthest := b.spread(c, rng, seed); farthest.arch != nil {
			return farthest
		}
	}
	var known string
	var network *arch.Arch
	for range 1 + redraws {
		b.draw(c, rng)
		if network = b.decode(c); network == nil {
			known = ""
			continue
		}
		if known = b.lookUp(c.Identity); known == "" {
			b.planned[c.Identity] = c.ID
			break
		}
	}
	if known != "" {
		return slot{known: known}
	}
	return slot{candidate: c, arch: network, seed: seed}
}

// spread draws networks and takes the one whose LOC, which is known without a
// training, is farthest from those taken before. Of networks drawn at random few
// have a small latent, and what the first generation lacks comes late.
func (b *breeder) spread(c *Candidate, rng *rand.Rand, seed uint64) (best slot) {
	farthest := -1.0
	for range b.study.config.Spread {
		b.draw(c, rng)
		network := b.decode(c)
		if network == nil || b.lookUp(c.Identity) != "" {
			continue
		}
		if d := distance(network.LOC(), b.locs); d > farthest {
			drawn := *c
			best, farthest = slot{candidate: &drawn, arch: network, seed: seed}, d
		}
	}
	if best.arch != nil {
		b.planned[best.candidate.Identity] = best.candidate.ID
		b.locs = append(b.locs, best.arch.LOC())
	}
	return best
}

// distance is that of x to the nearest of all, infinite where there is none.
func distance(x float64, all []float64) float64 {
	d := math.Inf(1)
	for _, v := range all {
		d = min(d, math.Abs(x-v))
	}
	return d
}

// lookUp finds the candidate with a network among the generations before, and
// among those planned so far; what a resumed generation has on the disk already
// counts no earlier than in the first attempt.
func (b *breeder) lookUp(identity string) string {
	if c := b.study.byID[b.study.known[identity]]; c != nil && c.Generation < b.generation {
		return c.ID
	}
	return b.planned[identity]
}

func (b *breeder) draw(c *Candidate, rng *rand.Rand) {
	space := b.study.config.Space
	if b.choose == nil {
		c.Origin, c.Genome = OriginRandom, space.Random(rng)
		return
	}
	mother, father := b.choose(rng), b.choose(rng)
	c.Origin, c.Parents = OriginChild, []string{mother.ID, father.ID}
	c.Genome = space.Mutate(space.Crossover(mother.Genome, father.Genome, rng), rng)
}

// decode fills in what c's network is like; nil is a network that is refused,
// and c says why.
func (b *breeder) decode(c *Candidate) *arch.Arch {
	s := b.study
	a, recipe, err := s.config.Space.Decode(c.Genome, s.set.Shape, genome.Limits{FLOPs: s.config.MaxFLOPs * int64(s.set.Shape.H*s.set.Shape.W)})
	if err == nil {
		err = s.config.hopeless(static(a), s.reference)
	}
	if err != nil {
		c.Failure, c.Identity = "refused: "+err.Error(), ""
		c.Latent, c.Params, c.FLOPs, c.Recipe = arch.Shape{}, 0, 0, arch.Recipe{}
		return nil
	}
	c.Failure, c.Identity = "", arch.Identity(a, recipe)
	c.Latent, c.Params, c.FLOPs, c.Recipe = a.Latent(), a.ParamCount(), a.FLOPs(), recipe
	return &a
}

// scored are the candidates of the given ids that have a score, each once.
func (st *state) scored(ids []string) []*Candidate {
	var out []*Candidate
	seen := map[string]bool{}
	for _, id := range ids {
		if c := st.byID[id]; c != nil && c.Search != nil && !seen[id] {
			seen[id] = true
			out = append(out, c)
		}
	}
	return out
}

// points are the search's results: finetuning changes no selection.
func (s *Study) points(cs []*Candidate) []moo.Point {
	ps := make([]moo.Point, len(cs))
	for i, c := range cs {
		ps[i] = s.config.point(c.Search.Values)
	}
	return ps
}

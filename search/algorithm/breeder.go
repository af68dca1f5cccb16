package algorithm

import (
	"math"
	"math/rand/v2"

	"moncae/internal/arch"
)

// redraws is how often a child that is a known network, or none, is drawn again.
const redraws = 10

// breeder makes a generation's candidates in order.
type breeder struct {
	problem Problem
	first   bool              // the first generation is spread
	elites  []string          // those that take the generation's first places
	choose  parent            // nil: random genomes
	known   map[string]string // ids by identity, of the generations before and of this one so far
	places  []float64         // those that spread took before
}

func newBreeder(p Problem, first bool) *breeder {
	return &breeder{problem: p, first: first, known: map[string]string{}}
}

func (b *breeder) know(identity, id string) {
	if identity != "" {
		b.known[identity] = id
	}
}

// breed draws a candidate. One that is refused, or whose network is known, is
// drawn again; after that it is refused, or the place takes the known result.
func (b *breeder) breed(k int) Proposal {
	if i := k % b.problem.Population; i < len(b.elites) {
		return Proposal{Known: b.elites[i]}
	}
	if p, ok := b.problem.given(k); ok && (p.Network == nil || b.known[p.Network.Identity] == "") {
		if p.Network != nil {
			b.know(p.Network.Identity, b.problem.ID(k))
			b.places = append(b.places, b.problem.place(p.Network.Arch))
		}
		return p
	}
	rng := rand.New(rand.NewPCG(b.problem.Seed(k), 0))
	if b.first && b.problem.Spread > 1 {
		if p := b.spread(k, rng); p.Network != nil {
			return p
		}
	}
	var p Proposal
	for range 1 + redraws {
		p = b.draw(rng)
		if p.Network == nil {
			continue
		}
		if p.Known = b.known[p.Network.Identity]; p.Known == "" {
			b.know(p.Network.Identity, b.problem.ID(k))
			return p
		}
	}
	if p.Known != "" {
		return Proposal{Known: p.Known}
	}
	return p
}

// spread draws networks and takes the one whose place, which is known without a
// training, is farthest from those taken before. Of networks drawn at random few
// have a small latent, and what the first generation lacks comes late.
func (b *breeder) spread(k int, rng *rand.Rand) (best Proposal) {
	farthest := -1.0
	for range b.problem.Spread {
		p := b.draw(rng)
		if p.Network == nil || b.known[p.Network.Identity] != "" {
			continue
		}
		if d := distance(b.problem.place(p.Network.Arch), b.places); d > farthest {
			best, farthest = p, d
		}
	}
	if best.Network != nil {
		b.know(best.Network.Identity, b.problem.ID(k))
		b.places = append(b.places, b.problem.place(best.Network.Arch))
	}
	return best
}

// place is where a spread sees a network: at its LOC, or, where sizes are bounded, at the
// side of its latent.
func (p Problem) place(a arch.Arch) float64 {
	if p.Bounded {
		return math.Log(float64(a.Latent().H * a.Latent().W))
	}
	return a.LOC()
}

// distance is that of x to the nearest of all, infinite where there is none.
func distance(x float64, all []float64) float64 {
	d := math.Inf(1)
	for _, v := range all {
		d = min(d, math.Abs(x-v))
	}
	return d
}

func (b *breeder) draw(rng *rand.Rand) Proposal {
	space := b.problem.Space
	if b.choose == nil {
		return b.problem.describe(Proposal{Origin: OriginRandom, Genome: space.Random(rng)})
	}
	mother, father := b.choose(rng), b.choose(rng)
	p := b.problem.describe(Proposal{
		Origin: OriginChild, Parents: []string{mother.ID, father.ID},
		Genome: space.Mutate(space.Crossover(mother.Genome, father.Genome, rng), rng),
	})
	p.inherits(b.problem.mother(mother))
	return p
}

// given is the genome that takes place k, if there is one.
func (p Problem) given(k int) (Proposal, bool) {
	if k >= min(len(p.First), p.Population) {
		return Proposal{}, false
	}
	return p.describe(Proposal{Origin: OriginGiven, Genome: p.First[k]}), true
}

// describe completes a proposal with what its genome's network is like.
func (p Problem) describe(c Proposal) Proposal {
	var err error
	if c.Network, err = p.Describe(c.Genome); err != nil {
		c.Network, c.Refusal = nil, err.Error()
	}
	return c
}

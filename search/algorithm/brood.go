package algorithm

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"moncae/search/genome"
	"moncae/search/moo"
	"moncae/search/surrogate"
)

// How many children are ranked for a place: at first so many, half of them random;
// then the best have children of their own, for some rounds.
const (
	firstChildren = 240
	rounds        = 3
	bestChildren  = 16 // that have children
	grandchildren = 80 // a round
)

// normal are the quantiles of the normal distribution at the middles of as many
// equal parts: an expectation is a mean over them.
var normal = []float64{-1.5341, -0.8871, -0.4888, -0.1573, 0.1573, 0.4888, 0.8871, 1.5341}

// brood ranks the children of a place.
type brood struct {
	problem  Problem
	guessed  []int
	models   []*surrogate.Process
	rng      *rand.Rand
	known    map[string]bool // identities that are trained, asked for, or ranked
	parents  []relative
	front    volumes
	before   []*Network // of the places before
	children []child    // by falling gain, then as they were drawn
}

// relative is who may have children.
type relative struct {
	ids    []string // itself; of a child that is only ranked, the trained ones it descends from
	genome genome.Genome
	mother *mother // itself, or a ranked child's; nil where nothing is inherited
}

// child is one that is ranked.
type child struct {
	Proposal
	mother *mother // whose weights it would begin with
	gain   float64
}

// take makes the front and the parents of what is known.
func (b *brood) take(told []Trial, pending []Proposal) {
	var ps []moo.Point
	var scored []Trial
	for _, t := range told {
		b.known[t.Identity] = true
		if t.Point != nil {
			ps, scored = append(ps, t.Point), append(scored, t)
		}
	}
	for _, rank := range moo.Fronts(ps) {
		if len(b.parents) >= bestChildren {
			break
		}
		for _, i := range rank {
			b.parents = append(b.parents, relative{[]string{scored[i].ID}, scored[i].Genome, b.problem.mother(scored[i])})
		}
	}
	for _, p := range pending {
		if p.Network != nil {
			b.known[p.Network.Identity] = true
			ps = append(ps, b.expected(p))
		}
	}
	b.front = measure(ps, b.problem.Reference)
}

// begin is the usual network that a spread takes, or a random one where no usual one is
// allowed; of none that may be trained, the last usual one that is refused.
func (b *brood) begin() Proposal {
	refused := b.fill(func(int) (Proposal, *mother) { return b.usual(), nil })
	if len(b.children) == 0 {
		b.fill(func(int) (Proposal, *mother) { return b.random(), nil })
	}
	if len(b.children) == 0 {
		return refused
	}
	return b.forecast(b.farthest())
}

// breed is the child with the largest expected gain; of none that may be trained, the
// last one that is refused.
func (b *brood) breed() Proposal {
	refused := b.fill(func(i int) (Proposal, *mother) {
		if i%2 == 0 || len(b.parents) == 0 {
			return b.random(), nil
		}
		return b.descend(b.parents)
	})
	if len(b.children) == 0 {
		return refused
	}
	for range rounds {
		b.sort()
		var best []relative
		for _, c := range b.children[:min(bestChildren, len(b.children))] {
			best = append(best, relative{c.Parents, c.Genome, c.mother})
		}
		for range grandchildren {
			b.add(b.descend(best))
		}
	}
	b.sort()
	return b.forecast(b.children[0])
}

// fill draws and ranks the first children, and gives the last one that is refused.
func (b *brood) fill(draw func(i int) (Proposal, *mother)) (refused Proposal) {
	for i := range firstChildren {
		if p, ok := b.add(draw(i)); !ok {
			refused = p
		}
	}
	return refused
}

// farthest is, of the quarter of the children whose places are farthest from those before,
// the one with the lowest levels expected.
func (b *brood) farthest() child {
	var places []float64
	for _, n := range b.before {
		places = append(places, b.problem.place(n.Arch))
	}
	slices.SortStableFunc(b.children, func(x, y child) int {
		return cmp.Compare(distance(b.problem.place(y.Network.Arch), places), distance(b.problem.place(x.Network.Arch), places))
	})
	return slices.MinFunc(b.children[:(len(b.children)+3)/4], func(x, y child) int {
		return cmp.Compare(b.level(x), b.level(y))
	})
}

// level is the sum of the levels that are expected.
func (b *brood) level(c child) (sum float64) {
	mean, _ := b.guess(c.Proposal)
	for _, m := range mean {
		sum += m
	}
	return sum
}

func (b *brood) sort() {
	slices.SortStableFunc(b.children, func(x, y child) int { return cmp.Compare(y.gain, x.gain) })
}

// usual is a network that people would begin with. Where sizes are bounded every other one
// has poolings, which cost loss and leave latents that a hyperplane separates better.
func (b *brood) usual() Proposal {
	pool := genome.Strided
	if b.problem.Bounded && b.rng.IntN(2) == 0 {
		pool = genome.MaxPool
	}
	space := b.problem.Space
	return Proposal{Origin: OriginRandom, Genome: space.Usual(space.Random(b.rng), pool, b.rng)}
}

// random is a random network: gene by gene, with blocks that are alike, or a usual one.
func (b *brood) random() Proposal {
	space := b.problem.Space
	g := space.Random(b.rng)
	switch b.rng.IntN(3) {
	case 0:
		return b.usual()
	case 1:
		g = space.Even(g, b.rng)
	}
	return Proposal{Origin: OriginRandom, Genome: g}
}

// descend makes a child of parents: a mutation of one, or of a cross of two. Where weights
// can be inherited, every other child does, for what a mother has learned may be in its way;
// half of those are their mothers, trained on by another recipe.
func (b *brood) descend(parents []relative) (Proposal, *mother) {
	space := b.problem.Space
	mother := parents[b.rng.IntN(len(parents))]
	p := Proposal{Origin: OriginChild, Genome: mother.genome, Parents: slices.Clone(mother.ids)}
	heir := mother.mother != nil && b.rng.IntN(2) == 0
	if heir && b.rng.IntN(2) == 0 {
		p.Genome = space.Retrain(p.Genome, b.rng)
		return p, mother.mother
	}
	if b.rng.IntN(2) == 0 {
		father := parents[b.rng.IntN(len(parents))]
		p.Genome = space.Crossover(p.Genome, father.genome, b.rng)
		for _, id := range father.ids {
			if !slices.Contains(p.Parents, id) {
				p.Parents = append(p.Parents, id)
			}
		}
	}
	p.Genome = space.Mutate(p.Genome, b.rng)
	if !heir {
		return p, nil
	}
	return p, mother.mother
}

// add ranks a proposal of a mother; one that is known counts as ranked, not ok is one that
// is refused. Where sizes are bounded, half of those that inherit nothing get as many
// channels in their latents as the bound allows.
func (b *brood) add(p Proposal, m *mother) (_ Proposal, ok bool) {
	if b.problem.Bounded && m == nil && b.rng.IntN(2) != 0 {
		p.Genome = b.problem.Space.Widest(p.Genome, func(g genome.Genome) bool {
			_, err := b.problem.Describe(g)
			return err == nil
		})
	}
	p = b.problem.describe(p)
	if p.Network == nil {
		return p, false
	}
	if !b.known[p.Network.Identity] {
		b.known[p.Network.Identity] = true
		p.inherits(m)
		b.children = append(b.children, child{p, m, b.gain(p)})
	}
	return p, true
}

// gain is the expected gain of hypervolume, the guesses taken as independent.
func (b *brood) gain(p Proposal) float64 {
	mean, deviation := b.guess(p)
	point := b.exact(p)
	var over func(g int) float64
	over = func(g int) float64 {
		if g == len(b.guessed) {
			return b.front.gain(point)
		}
		sum := 0.0
		for _, q := range normal {
			i := b.guessed[g]
			point[i] = b.problem.Objectives[i].Target.Value(mean[g] + q*deviation[g])
			sum += over(g + 1)
		}
		return sum / float64(len(normal))
	}
	return over(0)
}

// guess are the levels that are expected of the guessed objectives.
func (b *brood) guess(p Proposal) (mean, deviation []float64) {
	x := b.problem.features(p)
	for _, m := range b.models {
		mu, sd := m.Predict(x)
		mean, deviation = append(mean, mu), append(deviation, sd)
	}
	return mean, deviation
}

// exact is a proposal's point, as far as it is known.
func (b *brood) exact(p Proposal) moo.Point {
	point := make(moo.Point, len(b.problem.Objectives))
	for i, o := range b.problem.Objectives {
		if o.Exact != nil {
			point[i] = o.Exact(p.Network.Arch)
		}
	}
	return point
}

// expected is a proposal's point with the medians of the guesses.
func (b *brood) expected(p Proposal) moo.Point {
	point := b.exact(p)
	mean, _ := b.guess(p)
	for g, i := range b.guessed {
		point[i] = b.problem.Objectives[i].Target.Value(mean[g])
	}
	return point
}

// forecast notes what is expected of the child that is chosen.
func (b *brood) forecast(c child) Proposal {
	median := b.expected(c.Proposal)
	c.Forecast = &Forecast{Gain: c.gain, Values: map[string]float64{}}
	for _, i := range b.guessed {
		c.Forecast.Values[b.problem.Objectives[i].Name] = median[i]
	}
	return c.Proposal
}

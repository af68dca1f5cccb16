package algorithm

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"moncae/internal/arch"
	"moncae/search/genome"
	"moncae/search/moo"
	"moncae/search/surrogate"
)

// problem is one of 1×8×8 images; every network is allowed.
func problem(population, generations int) Problem {
	space := genome.Space{Name: genome.Extended, MaxBlocks: 4, MaxFilters: 16}
	in := arch.Shape{C: 1, H: 8, W: 8}
	return Problem{
		Space: space, Population: population, Generations: generations,
		Seed: func(k int) uint64 { return uint64(46*1000 + k) }, ID: func(k int) string { return fmt.Sprint("c", k) },
		Reference: moo.Point{0.5, 1.9},
		Describe: func(g genome.Genome) (*Network, error) {
			a, r, err := space.Decode(g, in, genome.Limits{})
			if err != nil {
				return nil, err
			}
			return &Network{Arch: a, Recipe: r, Identity: arch.Identity(a, r)}, nil
		},
	}
}

// sizes are the latent sizes of a first generation of 12, each once, ascending.
func sizes(t *testing.T, spread int) []int {
	t.Helper()
	p := problem(12, 1)
	p.Spread = spread
	a := New(Moncae, p)
	var all []int
	for k := range 12 {
		c := a.Ask(k)
		if c.Network == nil {
			t.Fatalf("place %d is refused: %s", k, c.Refusal)
		}
		all = append(all, c.Network.Arch.Latent().Values())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestTheFirstGenerationSpreadsOverLatentSizes(t *testing.T) {
	plain, spread := sizes(t, 0), sizes(t, 16)
	if len(spread) <= len(plain) || spread[0] > plain[0] {
		t.Errorf("sizes %v, no better spread than the plain random %v", spread, plain)
	}
	if again := sizes(t, 16); !slices.Equal(spread, again) {
		t.Errorf("one seed, two plans: %v and %v", spread, again)
	}
}

// Where sizes are bounded, and no objective counts them, the first generation doesn't
// spend places on small latents.
func TestWhereSizesAreBoundedTheFirstGenerationSpreadsOverShapes(t *testing.T) {
	guessed := func(name string) Objective {
		return Objective{Name: name, Target: surrogate.Target{Floor: 0.1, Nothing: 0.5}, Prior: surrogate.Learned()}
	}
	p := ehviProblem(16, 1, 4)
	bySize := ask(t, p)
	const most = 16
	p.Objectives, p.Bounded = []Objective{guessed("loss"), guessed("probe")}, true
	describe := p.Describe
	p.Describe = func(g genome.Genome) (*Network, error) {
		n, err := describe(g)
		if err == nil && n.Arch.Latent().Values() > most {
			return nil, errors.New("too large")
		}
		return n, err
	}
	byShape := ask(t, p)
	full := func(all []*Network) (n int) {
		for _, one := range all {
			if one.Arch.Latent().Values() == most {
				n++
			}
		}
		return n
	}
	if a, b := full(bySize), full(byShape); b <= a || b < len(byShape)/2 {
		t.Errorf("of %d latents %d have the most values, %d where the size is an objective", len(byShape), b, a)
	}
	if sides := different(byShape, func(n *Network) int { return n.Arch.Latent().H }); sides < 2 {
		t.Error("all latents have one side")
	}
}

func TestWhereNoUsualNetworkIsAllowedTheFirstGenerationHasOthers(t *testing.T) {
	p := ehviProblem(8, 1, 4)
	describe := p.Describe
	p.Describe = func(g genome.Genome) (*Network, error) {
		if g.Blocks[0].BatchNorm {
			return nil, errors.New("no batch norm")
		}
		return describe(g)
	}
	ask(t, p)
}

// ask is the first half of a generation, before anything is told.
func ask(t *testing.T, p Problem) (all []*Network) {
	t.Helper()
	p.Window = p.Population
	a := New(EHVI, p)
	for k := range p.Population / 2 {
		c := a.Ask(k)
		if c.Network == nil {
			t.Fatalf("place %d is refused: %s", k, c.Refusal)
		}
		all = append(all, c.Network)
	}
	return all
}

func different(all []*Network, of func(*Network) int) int {
	seen := map[int]bool{}
	for _, n := range all {
		seen[of(n)] = true
	}
	return len(seen)
}

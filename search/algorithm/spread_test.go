package algorithm

import (
	"fmt"
	"slices"
	"testing"

	"moncae/internal/arch"
	"moncae/search/genome"
	"moncae/search/moo"
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

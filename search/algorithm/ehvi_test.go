package algorithm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"moncae/internal/arch"
	"moncae/search/genome"
	"moncae/search/moo"
	"moncae/search/surrogate"
)

// landscape is a loss that the sizes of a network decide, with some noise; one in
// ten networks fails.
func landscape(p Proposal, k int) moo.Point {
	rng := rand.New(rand.NewPCG(uint64(k), 7))
	if rng.IntN(10) == 0 {
		return nil
	}
	a, off := p.Network.Arch, math.Abs(p.Genome.Rate-0.7)
	share := 0.15 + 0.5/float64(1+a.Latent().Values()) + off + 0.02*rng.Float64()
	if p.Network.Recipe.Optimizer != arch.Adam {
		share += 0.2
	}
	return moo.Point{0.1 + 0.4*min(share, 1.2), a.LOC()}
}

func ehviProblem(population, generations, window int) Problem {
	p := problem(population, generations)
	p.Window = window
	p.Objectives = []Objective{
		{Name: "loss", Target: surrogate.Target{Floor: 0.1, Nothing: 0.5}, Prior: surrogate.Learned().Flat()},
		{Name: "loc", Exact: arch.Arch.LOC},
	}
	return p
}

// search runs an algorithm on the landscape and gives the proposals and the hypervolume.
func search(t *testing.T, name string, p Problem) (all []Proposal, volume float64) {
	t.Helper()
	a := New(name, p)
	byID := map[string]Trial{}
	var ps []moo.Point
	told := 0
	for k := range p.Population * p.Generations {
		for ; told < a.Sees(k); told++ {
			tell(a, p, all[told], told, byID)
		}
		c := a.Ask(k)
		all = append(all, c)
		if c.Known != "" {
			continue
		}
		if c.Network == nil {
			t.Fatalf("place %d is refused: %s", k, c.Refusal)
		}
		if point := landscape(c, k); point != nil {
			ps = append(ps, point)
		}
	}
	return all, moo.Hypervolume(ps, p.Reference)
}

func tell(a Algorithm, p Problem, c Proposal, k int, byID map[string]Trial) {
	if c.Known != "" {
		a.Tell(byID[c.Known])
		return
	}
	t := Trial{ID: p.ID(k), Genome: c.Genome, Identity: c.Network.Identity, Point: landscape(c, k)}
	byID[t.ID] = t
	a.Tell(t)
}

func TestEHVIFindsMoreThanTheOthers(t *testing.T) {
	sums := map[string]float64{}
	for _, seed := range []uint64{46, 29, 12} {
		for _, name := range Names {
			p := ehviProblem(8, 5, 4)
			p.Seed = func(k int) uint64 { return seed*1000 + uint64(k) }
			_, v := search(t, name, p)
			sums[name] += v
		}
	}
	for name, v := range sums {
		if name != EHVI && v >= sums[EHVI] {
			t.Errorf("over three seeds, %s has %.4f, ehvi %.4f", name, v, sums[EHVI])
		}
	}
}

func TestEHVITrainsNothingTwiceAndSaysWhatItExpects(t *testing.T) {
	p := ehviProblem(6, 4, 3)
	all, _ := search(t, EHVI, p)
	again, _ := search(t, EHVI, p)
	if !reflect.DeepEqual(all, again) {
		t.Error("one problem, two courses")
	}
	seen := map[string]bool{}
	for k, c := range all {
		if seen[c.Network.Identity] {
			t.Errorf("place %d is a network that was there", k)
		}
		seen[c.Network.Identity] = true
		if f := c.Forecast; f == nil || !(f.Gain >= 0) || !(f.Values["loss"] > 0.1) || len(f.Values) != 1 {
			t.Errorf("place %d: forecast %+v", k, c.Forecast)
		}
	}
}

// What is decided depends on the places that it sees, not on those after them.
func TestEHVISeesItsWindow(t *testing.T) {
	p := ehviProblem(6, 2, 4)
	a := New(EHVI, p)
	for k, want := range []int{0, 0, 0, 0, 1, 2, 3} {
		if got := a.Sees(k); got != want {
			t.Errorf("place %d sees %d results, want %d", k, got, want)
		}
	}
	all, _ := search(t, EHVI, p)
	b := New(EHVI, p)
	byID := map[string]Trial{}
	for k := range 5 {
		if k == 4 { // all are told, though place 4 sees one
			for told := range 4 {
				tell(b, p, all[told], told, byID)
			}
		}
		if got := b.Ask(k); got.Network.Identity != all[k].Network.Identity {
			t.Errorf("place %d depends on what it doesn't see", k)
		}
	}
}

func TestEHVIRefusesWhereNothingMayBeTrained(t *testing.T) {
	p := ehviProblem(4, 1, 4)
	describe := p.Describe
	p.Describe = func(g genome.Genome) (*Network, error) {
		if _, err := describe(g); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("too large")
	}
	if c := New(EHVI, p).Ask(0); c.Network != nil || c.Refusal != "too large" {
		t.Errorf("%+v", c)
	}
}

func TestEHVILearnsFromTheBestAndTheNewest(t *testing.T) {
	var all []observed
	for i := range 3 * mostObserved {
		o := observed{levels: []float64{float64(i)}, point: moo.Point{float64(i % 7), float64(i)}}
		if i%5 == 0 {
			o.point = nil
		}
		all = append(all, o)
	}
	got := telling(all)
	if len(got) != mostObserved || got[mostObserved-1].levels[0] != float64(len(all)-1) {
		t.Fatalf("%d observations, the last is %v", len(got), got[len(got)-1].levels)
	}
	kept := map[float64]bool{}
	for i, o := range got {
		kept[o.levels[0]] = true
		if i > 0 && o.levels[0] <= got[i-1].levels[0] {
			t.Fatal("out of order")
		}
	}
	for _, i := range []float64{1, 2, 7} { // of the first rank
		if !kept[i] {
			t.Errorf("observation %v, on the front, is left out", i)
		}
	}
	if few := telling(all[:mostObserved]); len(few) != mostObserved {
		t.Errorf("%d of %d", len(few), mostObserved)
	}
}

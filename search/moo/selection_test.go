package moo

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFrontsRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := points(t, 3)
		rank := make([]int, len(ps))
		for i := range rank {
			rank[i] = -1
		}
		for r, front := range Fronts(ps) {
			for _, i := range front {
				rank[i] = r
			}
		}
		for i, p := range ps {
			above := -1 // the highest rank among p's dominators
			for j, q := range ps {
				if q.Dominates(p) {
					above = max(above, rank[j])
				}
			}
			if rank[i] != above+1 {
				t.Fatalf("%v: rank %d, its dominators reach %d", p, rank[i], above)
			}
		}
	})
}

func TestNonDominatedKeepsTheFirstOfEquals(t *testing.T) {
	got := NonDominated([]Point{{2, 2}, {1, 3}, {1, 3}, {3, 3}, {math.NaN(), 0}})
	if want := []int{0, 1, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestKnee(t *testing.T) {
	for name, c := range map[string]struct {
		front []Point
		want  int
	}{
		"none":           {nil, -1},
		"one":            {[]Point{{3, 3}}, 0},
		"two":            {[]Point{{1, 2}, {2, 1}}, 0},
		"elbow":          {[]Point{{0, 100}, {1, 10}, {5, 8}, {10, 0}}, 1},
		"above the line": {[]Point{{0, 10}, {9, 9}, {10, 0}}, 0},
		"flat axis":      {[]Point{{1, 7}, {1, 7}}, 0},
		"three":          {[]Point{{0, 1, 1}, {.2, .2, .2}, {1, 0, 1}, {1, 1, 0}}, 1},
	} {
		if got := Knee(c.front); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestRouletteWeights(t *testing.T) {
	ps := []Point{{0, 3}, {1, 1}, {3, 0}, {3, 3}, {9, 9}}
	w := RouletteWeights(ps, Point{4, 5})
	// The first rank's hypervolume is 15 and its contributions 2, 4, 1; (3,3) and
	// (9,9) are ranks of their own, the last one beyond the reference.
	sum, total := 7+3*.015, 1+.5+.25
	want := []float64{2.015 / sum / total, 4.015 / sum / total, 1.015 / sum / total, .5 / total, .25 / total}
	for i := range w {
		if !near(w[i], want[i]) {
			t.Errorf("weights %v, want %v", w, want)
			break
		}
	}
}

func TestRouletteWeightsAreChances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := points(t, 2)
		sum := 0.0
		for i, w := range RouletteWeights(ps, Point{3, 3}) {
			if !(w > 0) {
				t.Fatalf("point %v has weight %v", ps[i], w)
			}
			sum += w
		}
		if len(ps) > 0 && !near(sum, 1) {
			t.Fatalf("weights sum to %v", sum)
		}
	})
}

func TestRouletteDrawsByWeight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	weights := []float64{.5, 0, .3, .2}
	var counts [4]float64
	const n = 40000
	for range n {
		counts[Roulette(weights, rng)]++
	}
	for i, w := range weights {
		// Four standard deviations of a binomial share.
		if off := math.Abs(counts[i]/n - w); off > 4*math.Sqrt(w*(1-w)/n) {
			t.Errorf("index %d was drawn %v of the time, its weight is %v", i, counts[i]/n, w)
		}
	}
}

func TestElites(t *testing.T) {
	ps := []Point{{9, 9}, {0, 3}, {1, 1}, {3, 0}}
	if got, want := Elites(ps, Point{4, 5}, 2), []int{2, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Elites(ps, Point{4, 5}, 9); len(got) != 3 {
		t.Errorf("%d elites from a first rank of 3", len(got))
	}
}

func TestSurvivorsByHand(t *testing.T) {
	// One rank of five; (1.1,2.9) is crowded by (1,3) and adds least.
	ps := []Point{{0, 5}, {1, 3}, {1.1, 2.9}, {3, 1}, {5, 0}, {6, 6}}
	ref := Point{7, 7}
	if got, want := SurviveSMS(ps, ref, 4), []int{0, 1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("SMS-EMOA keeps %v, want %v", got, want)
	}
	// Crowding (ranges 5 and 5): 1: (1.1−0+5−2.9)/5, 2: (3−1+3−1)/5, 3: (5−1.1+2.9−0)/5.
	if got, want := SurviveNSGA2(ps, 4), []int{0, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("NSGA-II keeps %v, want %v", got, want)
	}
	if got := SurviveNSGA2(ps, 9); len(got) != len(ps) {
		t.Errorf("%d of %d survive where all fit", len(got), len(ps))
	}
}

func TestSurvivorsNeverLoseARank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := points(t, 3)
		k := rapid.IntRange(0, 8).Draw(t, "k")
		rank, _ := Crowded(ps)
		for name, kept := range map[string][]int{"sms-emoa": SurviveSMS(ps, Point{5, 5, 5}, k), "nsga2": SurviveNSGA2(ps, k)} {
			if len(kept) != min(k, len(ps)) || !slices.IsSorted(kept) || len(slices.Compact(slices.Clone(kept))) != len(kept) {
				t.Fatalf("%s: %d of %d: %v", name, k, len(ps), kept)
			}
			worst := -1
			for _, i := range kept {
				worst = max(worst, rank[i])
			}
			for i, r := range rank {
				if r < worst && !slices.Contains(kept, i) {
					t.Fatalf("%s: %v of rank %d left, rank %d stayed", name, ps[i], r, worst)
				}
			}
		}
	})
}

func TestTournamentPrefersRankThenCrowding(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	rank, crowding := []int{1, 0, 0}, []float64{9, 1, 2}
	var wins [3]int
	for range 900 {
		wins[Tournament(rank, crowding, rng)]++
	}
	// Chances: 0 only against itself 1/9, 1 beats 0 and itself 3/9, 2 the rest 5/9.
	for i, want := range []int{100, 300, 500} {
		if wins[i] < want-60 || wins[i] > want+60 {
			t.Errorf("wins %v, want about 100, 300, 500", wins)
		}
	}
}

package moo

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// fixture is what testdata/fixture.py writes with pymoo and moocore.
type fixture struct {
	Cases []struct {
		Name          string
		Points        []Point
		Reference     Point
		Hypervolume   float64
		Contributions []float64
		Fronts        [][]int
		Crowding      []*float64 // of the first front, null at the ends
	}
}

func readFixture(t *testing.T) fixture {
	t.Helper()
	b, err := os.ReadFile("testdata/hypervolume.json")
	if err != nil {
		t.Fatal(err)
	}
	var f fixture
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) == 0 {
		t.Fatal("testdata/hypervolume.json holds no cases")
	}
	return f
}

// near allows for sums of a few hundred rounded terms.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-11*max(1, math.Abs(a), math.Abs(b)) }

func TestAgainstMoocoreAndPymoo(t *testing.T) {
	for _, c := range readFixture(t).Cases {
		t.Run(c.Name, func(t *testing.T) {
			if hv := Hypervolume(c.Points, c.Reference); !near(hv, c.Hypervolume) {
				t.Errorf("hypervolume %v, want %v", hv, c.Hypervolume)
			}
			for i, v := range Contributions(c.Points, c.Reference) {
				if !near(v, c.Contributions[i]) {
					t.Errorf("contribution of %v: %v, want %v", c.Points[i], v, c.Contributions[i])
				}
			}
			fronts := Fronts(c.Points)
			if !slices.EqualFunc(fronts, c.Fronts, slices.Equal) {
				t.Errorf("fronts %v, want %v", fronts, c.Fronts)
			}
			crowding := Crowding(pick(c.Points, fronts[0]))
			if hasTies(pick(c.Points, fronts[0])) {
				return // which of two equal values is the neighbour is a matter of sorting
			}
			for i, v := range crowding {
				// pymoo divides by the number of objectives.
				if w := c.Crowding[i]; w == nil != math.IsInf(v, 1) || w != nil && !near(v, *w*float64(len(c.Reference))) {
					t.Errorf("crowding of %d: %v, want %v", i, v, w)
				}
			}
		})
	}
}

func hasTies(ps []Point) bool {
	for k := range ps[0] {
		seen := map[float64]bool{}
		for _, p := range ps {
			if seen[p[k]] {
				return true
			}
			seen[p[k]] = true
		}
	}
	return false
}

func TestClosedForms(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		ps    []Point
		ref   Point
		want  float64
		alone []float64
	}{
		"none":                               {nil, Point{1, 1}, 0, nil},
		"one":                                {[]Point{{1, 2}}, Point{4, 4}, 6, []float64{6}},
		"stairs":                             {[]Point{{1, 3}, {2, 2}, {3, 1}}, Point{4, 4}, 6, []float64{1, 1, 1}},
		"stairs of unequal step":             {[]Point{{0, 3}, {1, 1}, {3, 0}}, Point{4, 5}, 15, []float64{2, 4, 1}},
		"dominated takes from its dominator": {[]Point{{1, 1}, {2, 2}}, Point{3, 3}, 4, []float64{3, 0}},
		"duplicates":                         {[]Point{{1, 1}, {1, 1}}, Point{3, 3}, 4, []float64{0, 0}},
		"on the reference":                   {[]Point{{3, 1}, {1, 1}}, Point{3, 3}, 4, []float64{0, 4}},
		"beyond the reference":               {[]Point{{5, -9}, {1, 1}}, Point{3, 3}, 4, []float64{0, 4}},
		"NaN and +Inf":                       {[]Point{{math.NaN(), 0}, {inf, 0}, {1, 1}}, Point{3, 3}, 4, []float64{0, 0, 4}},
		"-Inf":                               {[]Point{{-inf, 1}, {1, 0}}, Point{3, 3}, inf, []float64{inf, 2}},
		"two at -Inf":                        {[]Point{{-inf, 1}, {-inf, 2}}, Point{3, 3}, inf, []float64{inf, 0}},
		"cubes":                              {[]Point{{0, 1, 1}, {1, 0, 1}, {1, 1, 0}}, Point{2, 2, 2}, 4, []float64{1, 1, 1}},
		"one objective":                      {[]Point{{3}, {1}, {2}}, Point{5}, 4, []float64{0, 1, 0}},
		"five objectives":                    {[]Point{{0, 0, 0, 0, 0}, {1, 1, 1, 1, 1}}, Point{2, 2, 2, 2, 2}, 32, []float64{31, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			if hv := Hypervolume(c.ps, c.ref); hv != c.want {
				t.Errorf("hypervolume %v, want %v", hv, c.want)
			}
			if alone := Contributions(c.ps, c.ref); !slices.Equal(alone, c.alone) && len(c.ps) > 0 {
				t.Errorf("contributions %v, want %v", alone, c.alone)
			}
		})
	}
}

func TestReferenceMustBeFinite(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an infinite reference was accepted")
		}
	}()
	Hypervolume([]Point{{1, 1}}, Point{2, math.Inf(1)})
}

// points draws up to 8 points on a small grid, so that ties and duplicates are common.
func points(t *rapid.T, d int) []Point {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Point {
		return rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 6), func(i int) float64 { return float64(i) }), d, d).Draw(t, "point")
	}), 0, 8).Draw(t, "points")
}

func TestContributionIsLossOfHypervolume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 4).Draw(t, "objectives")
		ps := points(t, d)
		ref := make(Point, d)
		for k := range ref {
			ref[k] = 5
		}
		whole := Hypervolume(ps, ref)
		for i, alone := range Contributions(ps, ref) {
			// Coordinates are small integers: every volume is exact.
			if rest := Hypervolume(slices.Delete(slices.Clone(ps), i, i+1), ref); whole-rest != alone {
				t.Fatalf("point %d of %v: contribution %v, loss %v", i, ps, alone, whole-rest)
			}
		}
	})
}

func TestHypervolumeCountsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := points(t, 3)
		cells := 0
		for c := range 5 * 5 * 5 {
			corner := Point{float64(c % 5), float64(c / 5 % 5), float64(c / 25)}
			if slices.ContainsFunc(ps, func(p Point) bool { return p.Dominates(corner) || equal(p, corner) }) {
				cells++
			}
		}
		if hv := Hypervolume(ps, Point{5, 5, 5}); hv != float64(cells) {
			t.Fatalf("%v: hypervolume %v, cells %d", ps, hv, cells)
		}
	})
}

func TestOrderAndUnitsDontMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps, ref := points(t, 2), Point{5, 5}
		hv, alone := Hypervolume(ps, ref), Contributions(ps, ref)
		turned := slices.Clone(ps)
		rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed"))).Shuffle(len(turned), func(i, j int) {
			turned[i], turned[j] = turned[j], turned[i]
		})
		if got := Hypervolume(turned, ref); got != hv {
			t.Fatalf("%v in another order: %v", hv, got)
		}
		scaled := make([]Point, len(ps))
		for i, p := range ps {
			scaled[i] = Point{8 * p[0], p[1] / 4}
		}
		for i, v := range Contributions(scaled, Point{40, 1.25}) {
			if v != 2*alone[i] {
				t.Fatalf("scaled by 8 and 1/4: %v of %v", v, alone[i])
			}
		}
	})
}

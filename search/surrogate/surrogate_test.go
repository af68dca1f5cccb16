package surrogate

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"moncae/internal/arch"
	"moncae/search/genome"
)

// The fixture says which scikit-learn made it; process.py beside it is how.
func TestProcessIsThatOfScikitLearn(t *testing.T) {
	b, err := os.ReadFile("testdata/process.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		X, New                     [][]float64
		Y, Chosen, Mean, Deviation []float64
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	plain := Prior{Mean: make([]float64, 3), Scale: []float64{1, 1, 1}, Weights: make([]float64, 3)}.Flat()
	p := Fit(plain, want.X, want.Y)
	if p.chosen != (choice{want.Chosen[0], want.Chosen[1], want.Chosen[2]}) {
		t.Errorf("chosen %v; want %v", p.chosen, want.Chosen)
	}
	for i, x := range want.New {
		mean, deviation := p.Predict(x)
		if math.Abs(mean-want.Mean[i]) > 1e-8 || math.Abs(deviation-want.Deviation[i]) > 1e-8 {
			t.Errorf("at %v: %v ± %v, want %v ± %v", x, mean, deviation, want.Mean[i], want.Deviation[i])
		}
	}
}

func TestWithoutObservationsThePriorSpeaks(t *testing.T) {
	prior := Learned()
	x := append([]float64(nil), prior.Mean...)
	x[0] += prior.Scale[0]
	mean, deviation := Fit(prior, nil, nil).Predict(x)
	if want := prior.Level + prior.Weights[0]; math.Abs(mean-want) > 1e-12 || !(deviation > level) {
		t.Errorf("%v ± %v, want %v", mean, deviation, want)
	}
	if mean, _ := Fit(prior.Flat(), nil, nil).Predict(x); mean != 0 {
		t.Errorf("a flat prior expects %v", mean)
	}
}

// A prior for searches whose children inherit expects the same of those that don't, and
// less loss of those that do.
func TestInheritingPrior(t *testing.T) {
	prior, x := Learned(), append([]float64(nil), Learned().Mean...)
	mean := func(p Prior, x ...float64) float64 {
		m, _ := Fit(p, nil, nil).Predict(x)
		return m
	}
	drawn := mean(prior.Inheriting(), append(x, 0)...)
	if want := mean(prior, x...); drawn != want || len(prior.Features) != len(Names) {
		t.Errorf("nothing inherited: %v, want %v", drawn, want)
	}
	some, more := Inherited(0.5, 3, 3, 16), Inherited(1, 6, 3, 16)
	if want := math.Log(1.5) * math.Log(16); math.Abs(some-want) > 1e-12 || Inherited(1, 6, 3, 1) != 0 || Inherited(0, 6, 3, 16) != 0 {
		t.Errorf("half of 3 epochs before 3 is %v, want %v", some, want)
	}
	if s, m := mean(prior.Inheriting(), append(x, some)...), mean(prior.Inheriting(), append(x, more)...); !(m < s && s < drawn) {
		t.Errorf("drawn %v, some inherited %v, more %v", drawn, s, m)
	}
}

func TestFeaturesAreNumbersOfEveryNetwork(t *testing.T) {
	space := genome.Space{Name: genome.Extended, MaxBlocks: 5, MaxFilters: 64}
	rng := rand.New(rand.NewPCG(46, 0))
	seen := make([]map[float64]bool, len(Names))
	for range 500 {
		g := space.Random(rng)
		a, r, err := space.Decode(g, arch.Shape{C: 3, H: 32, W: 20}, genome.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		x := Features(a, r, g.Rate)
		if len(x) != len(Names) {
			t.Fatalf("%d features, %d names", len(x), len(Names))
		}
		for i, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%s is %v of %+v", Names[i], v, g)
			}
			if seen[i] == nil {
				seen[i] = map[float64]bool{}
			}
			seen[i][v] = true
		}
	}
	for i, values := range seen {
		if len(values) < 2 {
			t.Errorf("%s never changes", Names[i])
		}
	}
}

func TestLevels(t *testing.T) {
	target := Target{Floor: 0.06, Nothing: 0.26}
	for value, want := range map[float64]float64{0.16: 0, 0.11: math.Log(1.0 / 3), 0.21: math.Log(3), 0.06: math.Log(1e-4 / (1 - 1e-4)), 0.01: math.Log(1e-4 / (1 - 1e-4)), 0.2599: worst, 0.26: worst, 9: worst, math.NaN(): worst} {
		if got := target.Level(value); math.Abs(got-want) > 1e-12 {
			t.Errorf("level of %v: %v, want %v", value, got, want)
		}
	}
	if got := target.Value(target.Level(0.1)); math.Abs(got-0.1) > 1e-12 {
		t.Errorf("0.1 comes back as %v", got)
	}
}

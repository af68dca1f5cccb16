package stats

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// testdata/stats.json is scipy's and numpy's: testdata/make.py wrote it.
func TestAgainstScipyAndNumpy(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/stats.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Tests []struct {
			A, B []float64
			U, P float64
		}
		Pairs []struct {
			Differences []float64
			W, P        float64
		}
		Quantiles []struct {
			Values   []float64
			Q, Value float64
		}
	}
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	exact := 0
	for _, c := range cases.Tests {
		got := MannWhitney(c.A, c.B)
		if got.U != c.U || !near(got.P, c.P) {
			t.Errorf("%v and %v: %+v, scipy has U %v, p %v", c.A, c.B, got, c.U, c.P)
		}
		if back := MannWhitney(c.B, c.A); !near(back.P, got.P) || !near(back.Effect, 1-got.Effect) {
			t.Errorf("%v and %v: %+v, the other way %+v", c.A, c.B, got, back)
		}
		if got.Exact {
			exact++
		}
	}
	if exact == 0 || exact == len(cases.Tests) || len(cases.Quantiles) == 0 {
		t.Errorf("%d of %d cases are exact; %d quantiles", exact, len(cases.Tests), len(cases.Quantiles))
	}
	limit := 0
	for _, c := range cases.Pairs {
		got := SignedRank(c.Differences)
		if got.W != c.W || !near(got.P, c.P) {
			t.Errorf("pairs %v: %+v, scipy has W %v, p %v", c.Differences, got, c.W, c.P)
		}
		if !got.Exact {
			limit++
		}
	}
	if limit == 0 || limit == len(cases.Pairs) {
		t.Errorf("%d of %d cases of pairs are by the limit", limit, len(cases.Pairs))
	}
	for _, c := range cases.Quantiles {
		if got := Quantile(c.Values, c.Q); !near(got, c.Value) {
			t.Errorf("quantile %v of %v: %v, numpy has %v", c.Q, c.Values, got, c.Value)
		}
	}
}

func TestPairsThatDontDifferSayNothing(t *testing.T) {
	t.Parallel()
	if got := SignedRank([]float64{0, 0}); got != (PairedTest{P: 1, Exact: true}) {
		t.Errorf("equal pairs: %+v", got)
	}
	if got := SignedRank([]float64{0, 0.5, 0}); got != (PairedTest{Pairs: 1, W: 1, P: 1, Exact: true}) {
		t.Errorf("one pair that differs: %+v", got)
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(1, math.Abs(b)) || a == b }

func TestInfinitiesHaveQuantiles(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	if a, b := Median([]float64{1, inf, inf}), Median([]float64{1, 2, inf}); a != inf || b != 2 {
		t.Errorf("medians %v and %v", a, b)
	}
}

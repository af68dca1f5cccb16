package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"moncae/search/surrogate"
)

// The figures are SciPy 1.17.1's, by stats.norm.logpdf and stats.spearmanr.
func TestFiguresAreSciPys(t *testing.T) {
	means := []float64{-1, -.9, -.5, -.2, 0, -.3, -.8, -2}
	deviations := []float64{.1, .2, .3, .4, .5, .2, .1, .3}
	came := []float64{-1.1, -.7, -.6, -.1, -.3, -.2, -.9, -.5}
	var all []forecast
	for i := range means {
		f := forecast{size: 3, mean: means[i], deviation: deviations[i], came: came[i]}
		if i == 7 {
			f.size = 4 // one alone: no rank correlation within
		}
		all = append(all, f)
	}
	for i, want := range [4]float64{1.2377355361563342, 0.5511351921262151, 0.6666666666666669, 0.8571428571428573} {
		if got := judge(all)[i]; math.Abs(got-want) > 1e-12 {
			t.Errorf("figure %d is %v, want %v", i, got, want)
		}
	}
}

// A training is forecast from those before it alone.
func TestForecastsKnowNothingOfWhatComes(t *testing.T) {
	var features [][]float64
	var levels []float64
	for i := range 20 {
		x := make([]float64, len(surrogate.Names))
		for k := range x {
			x[k] = float64((i*(k+3))%7) / 7
		}
		features, levels = append(features, x), append(levels, -x[0])
	}
	long, short := replay(surrogate.Learned(), features, levels, 12), replay(surrogate.Learned(), features[:15], levels[:15], 12)
	if len(long) != 8 || len(short) != 3 {
		t.Fatalf("%d and %d forecasts", len(long), len(short))
	}
	for i, f := range short {
		if f != long[i] {
			t.Errorf("forecast %d is %+v, and %+v where more came later", i, f, long[i])
		}
	}
}

func TestReplayOfARecordedRun(t *testing.T) {
	const recorded = "../../../search/testdata/run-v1"
	var out strings.Builder
	if err := run([]string{"-first", "2", recorded, recorded}, &out); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^run-v1 +\d +-?\d+\.\d{3} +\d+\.\d{3} +-?\d\.\d{3} +–\n(?s:.*)^mean +2 `).MatchString(out.String()) {
		t.Errorf("%s", out.String())
	}
	bad := filepath.Join(t.TempDir(), "prior.json")
	if err := os.WriteFile(bad, []byte(`{"features": ["size"]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{"no run is given": nil, "other features": {"-prior", bad, recorded}, "beyond the first 12": {recorded}} {
		if err := run(args, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

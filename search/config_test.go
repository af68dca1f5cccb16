package search

import (
	"errors"
	"math"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/baseline"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/search/moo"
)

func TestPresetsAreValid(t *testing.T) {
	for _, name := range Presets {
		c, err := Preset(name)
		if err := errors.Join(err, c.Validate()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Preset("fast"); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "quick, standard, paper") {
		t.Errorf("an unknown preset: %v", err)
	}
}

func TestAReferenceThatNothingDominates(t *testing.T) {
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.Objectives = []string{run.ObjectiveLoss, run.ObjectiveLOC, run.ObjectiveParams}
	const floor = 0.05
	for _, x := range []struct {
		loss graph.Loss
		at   moo.Point
		want string // "" for a good one
	}{
		{graph.BCE, moo.Point{0.0501, 0.01, 1}, ""},
		{graph.BCE, moo.Point{0.05, 2, 1}, "loss of 0.05"},
		{graph.MSE, moo.Point{0.05, 2, 1}, ""},
		{graph.MSE, moo.Point{0, 2, 1}, "loss of 0"},
		{graph.BCE, moo.Point{1, 0, 1}, "loc of 0"},
		{graph.BCE, moo.Point{1, 2, -1}, "params of -1"},
	} {
		c.Loss = x.loss
		err := attainable(c, x.at, floor)
		if (err == nil) != (x.want == "") || err != nil && (fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s, %v: %v, want %q", x.loss, x.at, err, x.want)
		}
	}
}

func TestReference(t *testing.T) {
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	in := arch.Shape{C: 3, H: 10, W: 10}
	mean := baseline.Loss{BCE: 0.5, MSE: 0.1}
	c.Objectives = []string{"bits", "loc", "loss"}
	if p, err := reference(c, in, mean, 0.9); err != nil || p[0] != 24 || p[1] != math.Log10(300) || p[2] != 0.5 {
		t.Errorf("%v, %v", p, err)
	}
	c.Loss = graph.MSE
	if p, err := reference(c, in, mean, 0.9); err != nil || p[2] != 0.1 {
		t.Errorf("MSE: %v, %v", p, err)
	}
	c.Objectives = []string{"loss", "probe"}
	if p, err := reference(c, in, mean, 0.9); err != nil || p[1] != 0.9 {
		t.Errorf("probe: %v, %v", p, err)
	}
	c.Objectives = []string{"loss", "params"}
	if _, err := reference(c, in, mean, 0.9); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--reference") {
		t.Errorf("params: %v", err)
	}
	c.Reference = []float64{1, 1e5}
	if p, err := reference(c, in, mean, 0.9); err != nil || p[1] != 1e5 {
		t.Errorf("%v, %v", p, err)
	}
}

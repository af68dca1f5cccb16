package search

import (
	"errors"
	"math"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/search/baseline"
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

func TestValidateTellsEverything(t *testing.T) {
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.Population, c.Algorithm, c.Validation, c.Objectives = 1, "magic", 1, []string{"loss", "beauty", "latency"}
	c.Reference = []float64{1, math.Inf(1)}
	err = c.Validate()
	if fault.Of(err) != fault.Usage {
		t.Fatalf("%v is no usage error", err)
	}
	for _, want := range []string{"population of 1", `"magic"`, "share of 1", `"beauty"`, `"latency" is not available`, "2 numbers for 3", "not finite"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestAReferenceThatNothingDominates(t *testing.T) {
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.Objectives = []string{ObjectiveLoss, ObjectiveLOC, ObjectiveParams}
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
		err := c.attainable(x.at, floor)
		if (err == nil) != (x.want == "") || err != nil && (fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%s, %v: %v, want %q", x.loss, x.at, err, x.want)
		}
	}
}

func TestRunIDIgnoresNothingThatCounts(t *testing.T) {
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	id := c.runID("data")
	if id != c.runID("data") || len(id) != 16 {
		t.Errorf("id %s", id)
	}
	other := c
	other.Seed++
	if other.runID("data") == id || c.runID("other data") == id {
		t.Error("seed or data don't change the id")
	}
}

func TestParseBound(t *testing.T) {
	if b, err := ParseBound(" loc <= 1.9"); err != nil || b != (Bound{ObjectiveLOC, 1.9}) {
		t.Errorf("%v, %v", b, err)
	}
	for _, bad := range []string{"", "loc", "loc<1.9", "loc<=", "loc<=much", "beauty<=1", "loc<=NaN"} {
		if _, err := ParseBound(bad); fault.Of(err) != fault.Usage {
			t.Errorf("%q: %v", bad, err)
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
	if p, err := c.reference(in, mean, 0.9); err != nil || p[0] != 24 || p[1] != math.Log10(300) || p[2] != 0.5 {
		t.Errorf("%v, %v", p, err)
	}
	c.Loss = graph.MSE
	if p, err := c.reference(in, mean, 0.9); err != nil || p[2] != 0.1 {
		t.Errorf("MSE: %v, %v", p, err)
	}
	c.Objectives = []string{"loss", "probe"}
	if p, err := c.reference(in, mean, 0.9); err != nil || p[1] != 0.9 {
		t.Errorf("probe: %v, %v", p, err)
	}
	c.Objectives = []string{"loss", "params"}
	if _, err := c.reference(in, mean, 0.9); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--reference") {
		t.Errorf("params: %v", err)
	}
	c.Reference = []float64{1, 1e5}
	if p, err := c.reference(in, mean, 0.9); err != nil || p[1] != 1e5 {
		t.Errorf("%v, %v", p, err)
	}
}

func TestStaticObjectives(t *testing.T) {
	conv := func(f int) arch.Layer { return arch.Layer{Kind: arch.Conv, Filters: f, Kernel: 3, Stride: 1} }
	a := arch.Arch{
		Input:   arch.Shape{C: 1, H: 8, W: 4},
		Encoder: arch.Stack{conv(2), {Kind: arch.MaxPool}}, // 2×4×2
		Decoder: arch.Stack{{Kind: arch.Upsample, To: &[2]int{8, 4}}, conv(1)},
	}
	want := Values{"loc": math.Log10(16), "bits": 16, "params": 2*9 + 2 + 2*9 + 1, "flops": 32*9*2 + 32*9*2}
	got := static(a)
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s: %v, want %v", name, got[name], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}

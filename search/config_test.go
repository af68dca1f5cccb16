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
	"moncae/search/algorithm"
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

// A schedule that climbs and falls is not judged before its end.
func TestPresetsHavePatience(t *testing.T) {
	for name, want := range map[string]int{"quick": 0, "standard": 0, Paper: 1} {
		if c, err := Preset(name); err != nil || c.Patience != want {
			t.Errorf("%s: patience %d (%v), want %d", name, c.Patience, err, want)
		}
	}
}

func TestPresetsAreTheAlgorithmsThatTheySay(t *testing.T) {
	for name, want := range map[string]string{"quick": algorithm.EHVI, "standard": algorithm.EHVI, Paper: algorithm.Moncae} {
		if c, err := Preset(name); err != nil || c.Algorithm != want || (c.Window > 0) != (want == algorithm.EHVI) {
			t.Errorf("%s: %s with a window of %d (%v)", name, c.Algorithm, c.Window, err)
		}
	}
}

func TestAPresetIsFittedToTheData(t *testing.T) {
	quick, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		images, limit, side  int
		epochs, tune, blocks int
	}{
		{5000, 0, 28, 3, 16, 5},     // the digits: as it is
		{60000, 0, 32, 3, 16, 5},    // more images: not fewer epochs
		{60000, 1000, 32, 3, 16, 5}, // a limit is the user's wish
		{447, 0, 64, 36, 192, 6},    // 403 images, 25 steps
		{10, 0, 128, 840, 4480, 7},  // a step an epoch
	} {
		c := quick
		c.TrainLimit = x.limit
		got := ForData(c, arch.Shape{C: 3, H: 8, W: x.side}, x.images)
		if got.Epochs != x.epochs || got.Finetune.Epochs != x.tune || got.Space.MaxBlocks != x.blocks {
			t.Errorf("%d images of side %d: %d epochs, %d of finetuning, %d blocks; want %d, %d, %d",
				x.images, x.side, got.Epochs, got.Finetune.Epochs, got.Space.MaxBlocks, x.epochs, x.tune, x.blocks)
		}
		if got.Finetune.Trial*quick.Finetune.Epochs != got.Finetune.Epochs*quick.Finetune.Trial {
			t.Errorf("%d images: a trial of %d doesn't go with the epochs", x.images, got.Finetune.Trial)
		}
		if err := got.Validate(); err != nil {
			t.Error(err)
		}
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
		{graph.SSIM, moo.Point{0.01, 2, 1}, ""},
		{"0.5*bce+ssim", moo.Point{0.025, 2, 1}, "loss of 0.025"},
		{graph.BCE, moo.Point{1, 0, 1}, "loc of 0"},
		{graph.BCE, moo.Point{1, 2, -1}, "params of -1"},
	} {
		c.Loss, c.Reference = x.loss, x.at
		err := attainable(c, x.at, blendOf(t, x.loss), floor)
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
	mean := baseline.Loss{BCE: 0.5, MSE: 0.1, Similarity: 0.25}
	c.Objectives = []string{"bits", "loc", "loss"}
	if p, err := reference(c, in, blendOf(t, c.Loss), mean, func() float64 { return 0.9 }); err != nil || p[0] != 24 || p[1] != math.Log10(300) || p[2] != 0.5 {
		t.Errorf("%v, %v", p, err)
	}
	c.Loss = graph.MSE
	if p, err := reference(c, in, blendOf(t, c.Loss), mean, func() float64 { return 0.9 }); err != nil || p[2] != 0.1 {
		t.Errorf("MSE: %v, %v", p, err)
	}
	c.Loss = "0.5*bce+2*ssim"
	if p, err := reference(c, in, blendOf(t, c.Loss), mean, func() float64 { return 0.9 }); err != nil || p[2] != 1.75 {
		t.Errorf("%s: %v, %v", c.Loss, p, err)
	}
	c.Objectives = []string{"loss", "probe"}
	if p, err := reference(c, in, blendOf(t, c.Loss), mean, func() float64 { return 0.9 }); err != nil || p[1] != 0.9 {
		t.Errorf("probe: %v, %v", p, err)
	}
	c.Objectives = []string{"loss", "params"}
	if _, err := reference(c, in, blendOf(t, c.Loss), mean, func() float64 { return 0.9 }); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--reference") {
		t.Errorf("params: %v", err)
	}
	c.Reference = []float64{1, 1e5}
	if p, err := reference(c, in, blendOf(t, c.Loss), mean, func() float64 { return 0.9 }); err != nil || p[1] != 1e5 {
		t.Errorf("%v, %v", p, err)
	}
}

func blendOf(t *testing.T, l graph.Loss) graph.Blend {
	t.Helper()
	b, err := l.Blend()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatNothingIsBelowIsBlamedOnWhatWasGiven(t *testing.T) {
	c := config(t)
	c.Objectives, c.Reference = []string{run.ObjectiveLoss, run.ObjectiveLOC}, nil
	blend := graph.Blend{BCE: 1}
	for _, try := range []struct {
		given     []float64
		reference moo.Point
		want      string
	}{
		{nil, moo.Point{0.6125, 2.9}, "the images are all alike"},
		{nil, moo.Point{0.7, 0}, "an image is a single value"},
		{[]float64{0.6, 2.9}, moo.Point{0.6, 2.9}, "leave --reference away"},
		{[]float64{1e200, 1e200}, moo.Point{1e200, 1e200}, "can't be measured"},
	} {
		c.Reference = try.given
		err := attainable(c, try.reference, blend, 0.6125)
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%v: %v", try.reference, err)
		}
		if try.given == nil && strings.Contains(err.Error(), "--reference") {
			t.Errorf("%v blames a flag that wasn't given", err)
		}
	}
	c.Reference = []float64{1e9, 1e12}
	if err := attainable(c, moo.Point(c.Reference), blend, 0.6125); err != nil {
		t.Error(err)
	}
}

package train

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// Nine rows make four steps of two an epoch, sixteen in all.
func TestARungEndsATraining(t *testing.T) {
	for name, x := range map[string]struct {
		rungs      []Rung
		validation []float64 // in the order of asking
		steps      int
		stopped    bool
		best       int
		history    int
	}{
		"none":                     {nil, []float64{0.5, 0.4, 0.3, 0.2}, 16, false, 4, 4},
		"low enough":               {[]Rung{{Step: 2, Most: 0.6}}, []float64{0.6, 0.5, 0.4, 0.3, 0.2}, 16, false, 4, 4},
		"without a bar":            {[]Rung{{Step: 2}, {Step: 7}}, []float64{9, 0.5, 9, 0.4, 0.3, 0.2}, 16, false, 4, 4},
		"within the first epoch":   {[]Rung{{Step: 2, Most: 0.6}}, []float64{0.7}, 2, true, 1, 1},
		"within the second":        {[]Rung{{Step: 2, Most: 0.6}, {Step: 7, Most: 0.35}}, []float64{0.6, 0.5, 0.4}, 7, true, 2, 2},
		"worse than an epoch's":    {[]Rung{{Step: 7, Most: 0.35}}, []float64{0.5, 0.6}, 7, true, 1, 2},
		"at an epoch's last step":  {[]Rung{{Step: 4, Most: 0.6}}, []float64{0.7}, 4, true, 1, 1},
		"at the training's last":   {[]Rung{{Step: 16, Most: 0.1}}, []float64{0.5, 0.4, 0.3, 0.2}, 16, true, 4, 4},
		"beyond what patience has": {[]Rung{{Step: 12, Most: 0.6}}, []float64{0.4, 0.5}, 8, false, 1, 2},
	} {
		s := &script{validation: x.validation}
		o := options()
		o.Rungs = x.rungs
		if strings.Contains(name, "patience") {
			o.Patience = 1
		}
		out, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o)
		if err != nil {
			t.Fatal(err)
		}
		if out.Steps != x.steps || s.steps != x.steps || out.Stopped != x.stopped || out.BestEpoch != x.best || len(out.History) != x.history || out.Failure != "" {
			t.Errorf("%s: %d steps, stopped %v, best epoch %d, %d epochs in the history, failure %q", name, s.steps, out.Stopped, out.BestEpoch, len(out.History), out.Failure)
		}
		if out.Metrics.Loss != slices.Min(losses(out)) || out.Weights == nil {
			t.Errorf("%s: loss %v of %v", name, out.Metrics.Loss, out.History)
		}
	}
}

func losses(out Outcome) (all []float64) {
	for _, e := range out.History {
		all = append(all, e.Validation)
	}
	return all
}

func TestATrainingThatDivergesAtARungFails(t *testing.T) {
	s := &script{validation: []float64{math.NaN()}}
	o := options()
	o.Rungs = []Rung{{Step: 3, Most: 1}}
	out, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o)
	if err != nil || out.Failure != "diverged: the validation loss is NaN after step 3" || out.Stopped || out.Weights != nil || len(out.Rungs) != 0 {
		t.Errorf("%+v (%v)", out, err)
	}
}

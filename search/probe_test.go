package search

import (
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/dataset"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/genome"
	"moncae/search/moo"
)

// labelled are images whose class is the half of the picture that is lit.
func labelled(n int) *dataset.Set {
	s := images(n)
	s.Classes, s.Labels = []string{"left", "right"}, make([]int32, n)
	for i := range n {
		s.Labels[i] = int32(i % 2)
		for p := range s.Image(i) {
			s.Image(i)[p] /= 4
			if p%8/4 == i%2 {
				s.Image(i)[p] += 150
			}
		}
	}
	return s
}

func TestProbeIsAnObjective(t *testing.T) {
	c := config(t)
	c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 1, MaxFilters: 4}
	c.Objectives = []string{run.ObjectiveProbe, run.ObjectiveLOC}
	c.Population, c.Generations, c.Epochs, c.Finetune.Epochs = 3, 1, 1, 0
	path := filepath.Join(t.TempDir(), "run")
	s, err := Create(path, c, labelled(60), Options{Engine: ref.New()})
	if err != nil {
		t.Fatal(err)
	}
	// PCA tells the halves of all six validation images apart: (0 + 1)/(6 + 2).
	if got := s.Reference()[0]; got != 0.125 {
		t.Errorf("a quick look is wrong %v of the time", got)
	}
	if got := s.guess(); got != 0.5 {
		t.Errorf("guessing is wrong %v of the time", got)
	}
	complete(t, s)
	r := open(t, path)
	if len(r.Front.Members) == 0 || r.Front.Members[0].Objectives[run.ObjectiveProbe] != 0 {
		t.Errorf("the halves are not told apart: %+v", r.Front.Members)
	}
	// Measured on another set that is the validation images.
	val := &dataset.Set{Name: "val", Shape: s.set.Shape}
	for _, row := range s.validation {
		val.Images = append(val.Images, s.set.Image(int(row))...)
	}
	for _, m := range r.Front.Members {
		if f := measured(t, ref.New(), r, m.ID, val, nil); f != (run.Figures{BCE: m.BCE, MSE: m.MSE, PSNR: m.PSNR, SSIM: m.SSIM}) {
			t.Errorf("%s: measured %+v, the front has %+v", m.ID, f, m)
		}
	}
	if _, err := Create(filepath.Join(t.TempDir(), "run"), c, images(60), Options{Engine: ref.New()}); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "labels") {
		t.Errorf("a probe without labels: %v", err)
	}
}

// Finetuning takes weights that dominate more than those that the search chose, and no
// others: a lower loss alone is not enough.
func TestFinetuningRaisesTheHypervolume(t *testing.T) {
	c := config(t)
	c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 2, MaxFilters: 4}
	c.Objectives, c.Reference = []string{run.ObjectiveLoss, run.ObjectiveProbe}, []float64{5, 1}
	c.Population, c.Generations, c.Epochs, c.Finetune = 6, 1, 1, run.Finetune{Epochs: 4, Scope: run.ScopePopulation}
	set := labelled(200)
	for i := range set.Labels { // half of the labels are of another question
		if i%4 > 1 {
			set.Labels[i] = int32(i / 4 % 2)
		}
	}
	path := filepath.Join(t.TempDir(), "run")
	s, err := Create(path, c, set, Options{Engine: ref.New()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	improved := 0
	for _, cand := range s.state.Candidates {
		before, after := cand.Search, cand.Finetuned
		if after == nil {
			continue
		}
		improved++
		volume := func(v run.Values) float64 {
			return moo.Hypervolume([]moo.Point{{v[run.ObjectiveLoss], v[run.ObjectiveProbe]}}, c.Reference)
		}
		if !(volume(after.Values) > volume(before.Values)) {
			t.Errorf("%s: %v, finetuned %v", cand.ID, before.Values, after.Values)
		}
	}
	if err := s.Close(); err != nil || improved == 0 {
		t.Errorf("%d of %d were finetuned, %v", improved, len(s.state.Candidates), err)
	}
}

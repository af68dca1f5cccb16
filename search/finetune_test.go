package search

import (
	"context"
	"path/filepath"
	"testing"

	"moncae/internal/run"
	"moncae/internal/rundir"
)

func TestFinetuningIsRecorded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, config(t), Options{})
	before := s.Front()
	complete(t, s)
	r := open(t, path)
	improved, kept := 0, 0
	for _, c := range r.Candidates {
		switch {
		case c.Finetuned == nil:
			kept++
		case c.Finetuned.Epochs != c.Search.Epochs+3 || c.Finetuned.Weights.Path == c.Search.Weights.Path:
			t.Errorf("%s: search %+v, finetuned %+v", c.ID, c.Search, c.Finetuned)
		default:
			improved++
		}
	}
	if improved == 0 || kept == 0 || len(before.Members) != 0 {
		t.Errorf("%d improved, %d kept; %d members before the search", improved, kept, len(before.Members))
	}
	s = resumed(t, path, Options{})
	id := r.Front.Members[0].ID
	if _, err := s.Finetune(context.Background(), []string{id}, 5, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := rundir.Verify(path); err != nil {
		t.Error(err)
	}
	if _, err := open(t, path).Trained(id); err != nil {
		t.Error(err)
	}
}

func TestTrialChoosesWhatIsFinetuned(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Finetune = run.Finetune{Scope: run.ScopeSizes, Trial: 2, Epochs: 3}
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, c, Options{})
	complete(t, s)
	rounds := map[int]map[string]int{0: {}, 1: {}}
	for _, f := range s.state.Finetunings {
		rounds[f.Round][f.ID] = f.Epochs
	}
	for _, m := range s.state.Chosen(c, s.reference, 1) {
		if rounds[1][m.ID] != 3 {
			t.Errorf("%s is on the front after the trial: %d epochs", m.ID, rounds[1][m.ID])
		}
	}
	for id, epochs := range rounds[0] {
		if epochs != 2 {
			t.Errorf("trial of %s: %d epochs", id, epochs)
		}
	}
	if len(rounds[1]) == 0 || len(rounds[1]) >= len(rounds[0]) {
		t.Errorf("%d tried, %d finetuned", len(rounds[0]), len(rounds[1]))
	}
	s = resumed(t, path, Options{})
	if _, err := s.Finetune(context.Background(), []string{s.state.Candidates[0].ID}, 5, nil); err != nil {
		t.Fatal(err)
	}
	if last := s.state.Finetunings[len(s.state.Finetunings)-1]; last.Round != 2 {
		t.Errorf("a later finetuning is round %d", last.Round)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !open(t, path).Finished {
		t.Error("not finished")
	}
}

func TestScopesOfFinetuning(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for _, scope := range run.Scopes {
		c := config(t)
		c.Finetune.Scope, c.Seed = scope, 4 // whose front lacks one of its sizes
		s := create(t, filepath.Join(t.TempDir(), "run"), c, Options{})
		complete(t, s)
		counts[scope] = len(s.state.Finetunings)
		sizes := map[int]bool{}
		for _, f := range s.state.Finetunings {
			sizes[s.state.ByID(f.ID).Latent.Values()] = true
		}
		for _, cand := range s.state.Candidates {
			able := cand.Search != nil && c.Point(cand.Search.Values).Better(s.reference)
			if scope == run.ScopeSizes && able && !sizes[cand.Latent.Values()] {
				t.Errorf("no candidate with %d values was finetuned", cand.Latent.Values())
			}
		}
		if !open(t, s.dir.Path).Finished {
			t.Errorf("%s: not finished", scope)
		}
	}
	if counts[run.ScopeFront] >= counts[run.ScopeSizes] || counts[run.ScopeFront] >= counts[run.ScopePopulation] {
		t.Errorf("finetuned: %v", counts)
	}
}

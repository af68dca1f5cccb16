package search

import (
	"path/filepath"
	"testing"

	"moncae/internal/run"
)

// A comparison counts every training that began, with the steps that it made; the
// finetuning after them has no part in it.
func TestTrainingsAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	c := config(t)
	c.Bounds = []run.Bound{{Objective: run.ObjectiveLOC, Most: 1.2}}
	complete(t, create(t, path, c, Options{Jobs: 3}))
	r := open(t, path)
	trainings := r.Trainings()
	if len(trainings) != r.Front.Evaluations {
		t.Fatalf("%d trainings, the front says %d", len(trainings), r.Front.Evaluations)
	}
	failed, last := 0, -1
	for _, tr := range trainings {
		cand := r.ByID(tr.ID)
		if place := cand.Generation*c.Population + cand.Index; place <= last {
			t.Errorf("%s is not in the order of breeding", tr.ID)
		} else {
			last = place
		}
		steps := 2 * 54 / 8
		if cand.Failure != "" {
			failed, steps = failed+1, 1
		}
		if tr.Steps != steps || tr.Seconds != r.Elapsed(tr.ID) || tr.Seconds < 0 {
			t.Errorf("%+v, want %d steps", tr, steps)
		}
		if (tr.Values == nil) != (cand.Failure != "") || tr.Values != nil && tr.Values[run.ObjectiveLoss] != cand.Search.Values[run.ObjectiveLoss] {
			t.Errorf("%s: values %v", tr.ID, tr.Values)
		}
	}
	if failed == 0 {
		t.Error("no training failed: the test shows nothing of failures")
	}
}

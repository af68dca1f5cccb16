package search

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/engine"
	"moncae/internal/rundir"
	"moncae/search/genome"
)

var update = flag.Bool("update", false, "make testdata/run-v1, once for a version of the format")

// Runs of every version that there was stay readable.
func TestOldRuns(t *testing.T) {
	path := filepath.Join("testdata", "run-v1")
	if *update {
		c := config(t)
		c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 2, MaxFilters: 4}
		c.Population, c.Generations = 3, 2
		complete(t, create(t, path, c, Options{}))
		if err := os.Remove(filepath.Join(path, rundir.LockFile)); err != nil {
			t.Fatal(err)
		}
	}
	if h, err := rundir.Verify(path); err != nil || h.Files < 5 {
		t.Errorf("health %+v (%v)", h, err)
	}
	if c, err := RecordedEngine(path); err != nil || c != (engine.Class{}) || CheckEngine(path, engine.Info{Name: "any"}) != nil {
		t.Errorf("a run without engine_class is held to %+v (%v)", c, err)
	}
	r := open(t, path)
	if !r.Finished || len(r.Front.Members) == 0 || len(r.Generations) != 2 {
		t.Errorf("read as %+v", r)
	}
	if ts := r.Trainings(); len(ts) != r.Front.Evaluations || ts[0].Steps != 6 { // 54 images in batches of 8; the fake training's one epoch
		t.Errorf("trainings %+v", ts)
	}
	for _, m := range r.Front.Members {
		if n, err := r.Trained(m.ID); err != nil || n.Weights.Check(n.Arch.Params()) != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
	}
}

package search

import (
	"bytes"
	"context"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/durable"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/task"
)

func inheriting(t *testing.T, name string) Config {
	t.Helper()
	c := config(t)
	c.SetAlgorithm(name)
	c.Inherit, c.Population, c.Generations = true, 5, 3
	return c
}

// Children begin with weights of candidates that were told before, for every algorithm
// that has children; the same for any number of jobs.
func TestChildrenInherit(t *testing.T) {
	t.Parallel()
	for _, name := range algorithm.Names {
		c := inheriting(t, name)
		if name == algorithm.Random {
			if err := c.Validate(); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "no children") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		path := filepath.Join(t.TempDir(), "run")
		if one, four := complete(t, create(t, path, c, Options{Jobs: 1})), complete(t, create(t, filepath.Join(t.TempDir(), "run"), c, Options{Jobs: 4})); one != four {
			t.Errorf("%s: one job gives\n%s\nfour give\n%s", name, one, four)
		}
		heirs := 0
		r := open(t, path)
		for _, cand := range r.Candidates {
			h := cand.Inherited
			// Every other child of ehvi doesn't inherit.
			if child := cand.Origin == algorithm.OriginChild; cand.Identity != "" && (h != nil) != child && !(child && name == algorithm.EHVI) {
				t.Errorf("%s: %s is %s, and inherited %+v", name, cand.ID, cand.Origin, h)
			}
			if h == nil {
				continue
			}
			heirs++
			m, err := r.Candidate(h.From)
			if err != nil {
				t.Fatal(err)
			}
			if m.Search == nil || h.Epochs != m.Search.Epochs || !(h.Share > 0) || h.Share > 1 || len(cand.Parents) > 0 && cand.Parents[0] != h.From {
				t.Errorf("%s: %s inherited %+v of %+v", name, cand.ID, h, m)
			}
			if cand.Search != nil && cand.Search.Epochs != h.Epochs+cand.Search.BestEpoch {
				t.Errorf("%s: %s: %d epochs, %d of them inherited, %d its own", name, cand.ID, cand.Search.Epochs, h.Epochs, cand.Search.BestEpoch)
			}
		}
		if heirs == 0 {
			t.Errorf("%s: %d of %d candidates inherited", name, heirs, len(r.Candidates))
		}
	}
}

func TestHeirsResume(t *testing.T) {
	for name, every := range map[string]int{algorithm.NSGA2: 3, algorithm.EHVI: 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resumeFrom(t, inheriting(t, name), every)
		})
	}
}

// What a training of a child of its mother's shape begins with are her stored weights.
func TestHeirsBeginWithTheStoredWeights(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	starts := map[uint64]arch.Weights{}
	path := filepath.Join(t.TempDir(), "run")
	c := inheriting(t, algorithm.SMSEMOA)
	c.Finetune.Epochs = 0
	s := create(t, path, c, Options{})
	s.options.Trainer = task.NewHere(fakeEngine{}, func(ctx context.Context, e engine.Engine, d engine.Data, a arch.Arch, r arch.Recipe, o train.Options) (train.Outcome, error) {
		mu.Lock()
		starts[o.Seed] = o.Weights
		mu.Unlock()
		return fakeFit(ctx, e, d, a, r, o)
	})
	complete(t, s)
	r := open(t, path)
	whole := 0
	for _, cand := range r.Candidates {
		if cand.Inherited == nil {
			continue
		}
		m, err := r.Candidate(cand.Inherited.From)
		if err != nil {
			t.Fatal(err)
		}
		hers, err := r.Trained(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		its := starts[s.seed(cand.Generation, cand.Index)]
		same := maps.EqualFunc(its, hers.Weights, slices.Equal)
		if its == nil || cand.Inherited.Share == 1 && !same && its.Check(hers.Arch.Params()) == nil {
			t.Errorf("%s begins with %v, %s has %v", cand.ID, its, m.ID, hers.Weights)
		}
		if same {
			whole++
		}
	}
	if whole == 0 {
		t.Error("no child has its mother's shape")
	}
}

// A mother whose weights are damaged ends the search; repaired, it goes on to the same end.
func TestDamagedMothersAreMended(t *testing.T) {
	t.Parallel()
	c := inheriting(t, algorithm.SMSEMOA)
	path := filepath.Join(t.TempDir(), "run")
	want := complete(t, create(t, path, c, Options{Jobs: 1}))
	files := contents(t, path)
	heir := open(t, path).Candidates
	heir = slices.DeleteFunc(heir, func(c *Candidate) bool { return c.Inherited == nil || c.Search == nil })
	last := heir[len(heir)-1]
	weights := filepath.Join(path, "candidates", last.Inherited.From, "weights.safetensors")
	b, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(weights, b, 0o600); err != nil {
		t.Fatal(err)
	}
	journal := filepath.Join(path, "journal.jsonl")
	whole := files["journal.jsonl"]
	at := bytes.Index(whole, []byte(`"event":{"id":"`+last.ID+`"`))
	cut := bytes.LastIndexByte(whole[:at], '\n') + 1
	if err := os.WriteFile(journal, whole[:cut], 0o600); err != nil {
		t.Fatal(err)
	}
	s := resumed(t, path, Options{Jobs: 1})
	if _, err := s.Run(context.Background()); fault.Of(err) != fault.Damaged || !strings.Contains(err.Error(), last.Inherited.From) {
		t.Errorf("with damaged weights: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if rep, err := run.Mend(path, durable.FS{}, anyEngine); err != nil || !slices.Contains(rep.Again, last.Inherited.From) {
		t.Fatalf("%+v, %v", rep, err)
	}
	if got := complete(t, resumed(t, path, Options{Jobs: 1})); got != want {
		t.Errorf("mended, it ends with\n%s\nwant\n%s", got, want)
	}
	if got := contents(t, path)["candidates/"+last.ID+"/weights.safetensors"]; !reflect.DeepEqual(got, files["candidates/"+last.ID+"/weights.safetensors"]) {
		t.Errorf("%s has other weights", last.ID)
	}
}

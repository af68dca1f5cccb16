package search

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
)

func finishedRun(t *testing.T) (string, *Run) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, config(t), Options{}))
	return path, open(t, path)
}

func TestSelect(t *testing.T) {
	t.Parallel()
	_, r := finishedRun(t)
	front, err := r.Select("front")
	if err != nil || len(front) != len(r.Front.Members) || len(front) < 2 {
		t.Fatalf("front %v (%v)", front, err)
	}
	best, err := r.Select("best-loss")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Front.Members {
		if i := slices.Index(front, best[0]); m.BCE < r.Front.Members[i].BCE {
			t.Errorf("%s has a smaller BCE than %s", m.ID, best[0])
		}
	}
	for _, what := range []string{"all", "knee", "population", front[0]} {
		ids, err := r.Select(what)
		if err != nil || len(ids) == 0 {
			t.Errorf("%s: %v, %v", what, ids, err)
		}
		for _, id := range ids {
			n, err := r.Trained(id)
			if err != nil || n.Weights.Check(n.Arch.Params()) != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
	if ids, err := r.Select(front[1], "front", front[0]); err != nil || len(ids) != len(front) || ids[0] != front[1] || ids[1] != front[0] {
		t.Errorf("two members and the front %v: %v (%v)", front, ids, err)
	}
	if _, err := r.Select(front[0], "g99-0"); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "g99-0") {
		t.Errorf("an unknown candidate: %v", err)
	}
}

func TestFrontFileHasTheDocumentedFields(t *testing.T) {
	t.Parallel()
	path, r := finishedRun(t)
	var doc map[string]json.RawMessage
	if err := json.Unmarshal([]byte(frontFile(t, path)), &doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("format version run data split seed objectives reference hypervolume evaluations failed members mean_image floor") {
		if doc[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if doc["seconds"] != nil {
		t.Error("front.json has seconds: equal runs would differ")
	}
	var members []map[string]json.RawMessage
	if err := json.Unmarshal(doc["members"], &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields("id latent values loc ratio bce excess_bce mse psnr ssim params flops epochs objectives pca") {
		if members[0][name] == nil {
			t.Errorf("members: %s is missing", name)
		}
	}
	if r.Front.Seconds == nil || r.Seconds <= 0 {
		t.Errorf("seconds %v", r.Seconds)
	}
}

func TestBounded(t *testing.T) {
	t.Parallel()
	_, r := finishedRun(t)
	limit := r.Front.Members[0].LOC
	f, err := r.Front.Bounded([]run.Bound{{Objective: run.ObjectiveLOC, Most: limit}})
	if err != nil || len(f.Members) == 0 || len(f.Members) == len(r.Front.Members) || f.Hypervolume >= r.Front.Hypervolume {
		t.Errorf("%d of %d members, hypervolume %v of %v (%v)", len(f.Members), len(r.Front.Members), f.Hypervolume, r.Front.Hypervolume, err)
	}
	if _, err := r.Front.Bounded([]run.Bound{{Objective: run.ObjectiveBits, Most: 1}}); fault.Of(err) != fault.Usage {
		t.Errorf("a bound on what was not measured: %v", err)
	}
}

func TestOpenTellsDamage(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(string) string{
		"front.json":  func(s string) string { return strings.Replace(s, `"version": 1`, `"version": 7`, 1) },
		"run.json":    func(s string) string { return strings.Replace(s, `"population": 6`, `"population": 7`, 1) },
		"journal":     func(s string) string { return strings.Replace(s, `"candidate"`, `"candidato"`, 1) },
		"front.json ": func(string) string { return "{" },
	} {
		path, _ := finishedRun(t)
		file := filepath.Join(path, strings.TrimSpace(name))
		if name == "journal" {
			file = filepath.Join(path, rundir.JournalFile)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := change(string(b))
		if changed == string(b) {
			t.Fatalf("%s: nothing to change", name)
		}
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); fault.Of(err) != fault.Damaged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCandidatesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, config(t), Options{})
	complete(t, s)
	r := open(t, path)
	if len(r.Candidates) != len(s.state.Candidates) {
		t.Errorf("%d candidates read, %d written", len(r.Candidates), len(s.state.Candidates))
	}
	for _, want := range s.state.Candidates {
		if got, err := r.Candidate(want.ID); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read as %+v, written %+v (%v)", want.ID, got, want, err)
		}
	}
	if !slices.IsSortedFunc(r.Candidates, func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Index, b.Index))
	}) {
		t.Error("not as they were bred")
	}
}

func TestOpenOfNoRun(t *testing.T) {
	t.Parallel()
	if _, err := Open(t.TempDir()); fault.Of(err) != fault.Usage {
		t.Errorf("%v", err)
	}
}

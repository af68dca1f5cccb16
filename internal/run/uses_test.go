package run

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// begun is the folder of a run, r1, of the data set digits.
func begun(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run")
	config, err := json.Marshal(valid())
	if err != nil {
		t.Fatal(err)
	}
	dir, err := rundir.Create(path, rundir.Manifest{
		Run: "r1", Config: config, Objectives: []string{"loss", "loc"}, Reference: []float64{1, 2},
		Preprocess: json.RawMessage(`{"image_size":[4,4],"resize":"none","channels":1}`), ValidationIDs: []int64{1},
		Data: rundir.Data{Name: "digits", Source: "/data/digits", Fingerprint: "f", Shape: arch.Shape{C: 1, H: 4, W: 4}, TrainRows: 9, TestFraction: 0.1},
	}, durable.FS{})
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsesOfTestImagesAreCounted(t *testing.T) {
	path := begun(t)
	count := func(u TestUses, use Use) (int, string) {
		t.Helper()
		use.By = "a test"
		n, why, err := u.Count(use, durable.FS{})
		if err != nil {
			t.Fatal(err)
		}
		if n == nil {
			return 0, why
		}
		return *n, why
	}
	uses := func(id, folder string, near ...string) TestUses {
		t.Helper()
		u, err := UsesOf(id, folder, near...)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	within := filepath.Join(path, "export", "g0-0", "encoder.onnx")
	elsewhere := filepath.Join(t.TempDir(), "encoder.onnx")
	for i, c := range []struct {
		uses TestUses
		use  Use
		want int
		why  string
	}{
		{uses("r1", "", within), Use{Split: "test", Name: "digits"}, 1, ""},
		{uses("r1", "", within), Use{Split: "train", Name: "digits"}, 0, ""},
		{uses("r1", path, elsewhere), Use{Split: "all", Name: "digits", Source: "/data/digits"}, 2, ""},
		{uses("r1", path), Use{Split: "", Name: "moved", Source: "/data/digits"}, 3, ""},
		{uses("r1", path), Use{Split: "all", Name: "letters", Source: "/data/letters"}, 0, "letters is not the data set"},
		{uses("r1", "", elsewhere, within), Use{Split: "test", Name: "digits", Source: "/data/digits", SetApart: 0.1}, 4, ""},
		{uses("r1", "", elsewhere), Use{Split: "test", Name: "digits"}, 0, "folder of run r1 isn't known"},
		{uses("r2", "", within), Use{Split: "test", Name: "digits"}, 0, "folder of run r2 isn't known"},
		{uses("", "", within), Use{Split: "test", Name: "digits"}, 0, ""},
	} {
		n, why := count(c.uses, c.use)
		if n != c.want || (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("case %d: %d, %q; want %d, %q", i, n, why, c.want, c.why)
		}
	}
	for _, id := range []string{"r2", ""} {
		if _, err := UsesOf(id, path); fault.Of(err) != fault.Usage {
			t.Errorf("run %q in the folder of r1: %v", id, err)
		}
	}
	r, err := Open(path)
	if err != nil || r.TestOpenings != 4 {
		t.Errorf("%v openings in the run (%v)", r.TestOpenings, err)
	}
	_, _, err = uses("r1", path).Count(Use{Split: "test", Name: "digits", Source: "/data/digits", SetApart: 0.2}, durable.FS{})
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "--test-fraction 0.2") {
		t.Errorf("another share set apart: %v", err)
	}
	journal, err := os.ReadFile(filepath.Join(path, rundir.JournalFile))
	if err != nil || strings.Count(string(journal), `"by":"a test"`) != 4 {
		t.Errorf("journal %s (%v)", journal, err)
	}
}

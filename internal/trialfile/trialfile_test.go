package trialfile

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"moncae/internal/fault"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trials.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	t.Parallel()
	f, err := Read(write(t, `{"format":"moncae.trials","version":1,"objectives":["loss","loc"],"reference":[0.3,2.9],"seed":46,"data":"abc","validation_seed":3}

{"trial":2,"steps":7,"seconds":1.5,"objectives":{"loss":0.1,"loc":2},"note":"ignored"}
{"trial":0,"steps":0,"seconds":0,"objectives":null}
{"trial":3,"steps":9,"seconds":2,"status":"failed","objectives":{"loc":2}}
`))
	want := File{Header{[]string{"loss", "loc"}, []float64{0.3, 2.9}, new(uint64(46)), "abc", new(uint64(3))}, []Trial{{0, 0, 0, nil}, {2, 7, 1.5, map[string]float64{"loss": 0.1, "loc": 2}}, {3, 9, 2, nil}}}
	if err != nil || !reflect.DeepEqual(f, want) {
		t.Errorf("%+v, %v; want %+v", f, err, want)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	const good = `{"trial":0,"steps":1,"seconds":1,"objectives":null}` + "\n"
	for content, want := range map[string]string{
		"":                                      "there is no trial",
		"[1]\n":                                 "line 1",
		good + "{":                              "line 2",
		good + good:                             "trial 0 is there twice",
		`{"steps":1,"seconds":1}`:               "trial is missing",
		`{"trial":-1,"steps":1,"seconds":1}`:    "trial is missing or negative",
		`{"trial":0.5,"steps":1,"seconds":1}`:   "line 1",
		`{"trial":0,"seconds":1}`:               "steps is missing",
		`{"trial":0,"steps":1,"seconds":-1}`:    "seconds is missing or negative",
		`{"trial":0,"steps":1,"seconds":1e999}`: "line 1",
		`{"trial":0,"steps":1,"seconds":1,"objectives":{"loss":NaN}}`:   "JSON has no NaN",
		`{"trial":0,"steps":1,"seconds":1,"objectives":{"loss":null}}`:  `"loss" is null`,
		`{"trial":0,"steps":1,"seconds":1,"objectives":[1,2]}`:          "line 1",
		good + `{"format":"moncae.trials","version":1}`:                 "comes first",
		`{"format":"moncae.trials","version":2}` + "\n" + good:          "version 2",
		`{"format":"moncae.trials","version":1,"reference":[1]}` + "\n": "0 objectives, and a reference of 1",
		strings.Repeat(" ", 2<<20):                                      "too long",
	} {
		_, err := Read(write(t, content))
		if err == nil || fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%.70q: %v, want %q", content, err, want)
		}
	}
}

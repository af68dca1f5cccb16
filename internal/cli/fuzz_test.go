package cli

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/fault"
)

// FuzzConfig reads configuration files of search: a usage error or none.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"run: digits\npopulation: 4\nobjectives: [loss, loc]\n", "a: {b: [1, {c: 2}]}\n", "population: &x 3\ngenerations: *x\n", "---\nseed: 1\n---\nseed: 2\n", "- a\n- b\n", "resume: true\n", "image-size: 32x32 # c\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		a := &app{Streams: Streams{Out: io.Discard, Err: io.Discard}, config: file}
		if err := a.applyConfig(a.newSearch()); err != nil && fault.Of(err) != fault.Usage {
			t.Errorf("no fault of the user's: %v", err)
		}
	})
}

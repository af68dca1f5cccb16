package search

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"moncae/internal/run"
	"moncae/search/algorithm"
)

// What is told grows to the end, names those in flight, and leaves nothing behind.
func TestStatusGrowsAndLiveFileGoes(t *testing.T) {
	for _, name := range []string{algorithm.Moncae, algorithm.EHVI} {
		t.Run(name, func(t *testing.T) { statusGrows(t, name) })
	}
}

func statusGrows(t *testing.T, name string) {
	t.Parallel()
	var told []run.Live
	path := filepath.Join(t.TempDir(), "run")
	var s *Study
	watch := func(e Event) {
		if s != nil {
			s.live.told = time.Time{} // as if a second had passed
		}
		if status, ok := e.(Status); ok {
			told = append(told, status.Live)
		}
	}
	c := config(t)
	c.SetAlgorithm(name)
	s = create(t, path, c, Options{Observer: watch, Jobs: 3})
	complete(t, s)
	flying := 0
	for i, l := range told {
		if l.Fraction < 0 || l.Fraction > 1 || i > 0 && l.Phase == told[i-1].Phase && l.Fraction < told[i-1].Fraction-1e-9 {
			t.Errorf("%d: %+v after %v", i, l, told[max(0, i-1)].Fraction)
		}
		flying = max(flying, len(l.Candidates))
	}
	if len(told) < 5 || flying == 0 || told[len(told)-1].Fraction < 0.9 {
		t.Errorf("told %d times, at most %d in flight, last %+v", len(told), flying, told[len(told)-1])
	}
	if _, err := os.Stat(filepath.Join(path, run.LiveFile)); !os.IsNotExist(err) {
		t.Errorf("live.json is left: %v", err)
	}
}

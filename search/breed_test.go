package search

import (
	"path/filepath"
	"slices"
	"testing"
)

// sizes are the latent sizes of a first generation of 12, each once, ascending.
func sizes(t *testing.T, spread int) []int {
	t.Helper()
	c := config(t)
	c.Population, c.Spread = 12, spread
	s := create(t, filepath.Join(t.TempDir(), "run"), c, Options{})
	defer s.Close()
	var all []int
	for _, sl := range s.plan(0) {
		if sl.arch == nil {
			t.Fatalf("%s is refused: %s", sl.candidate.ID, sl.candidate.Failure)
		}
		all = append(all, sl.arch.Latent().Values())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestTheFirstGenerationSpreadsOverLatentSizes(t *testing.T) {
	t.Parallel()
	plain, spread := sizes(t, 0), sizes(t, 16)
	if len(spread) <= len(plain) || spread[0] > plain[0] {
		t.Errorf("sizes %v, no better spread than the plain random %v", spread, plain)
	}
	if again := sizes(t, 16); !slices.Equal(spread, again) {
		t.Errorf("one seed, two plans: %v and %v", spread, again)
	}
}

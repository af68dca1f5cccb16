package search

import (
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// A search that begins with another's front has its networks first, whatever the
// algorithm, in the same bytes for any number of jobs and after a resumption.
func TestSearchesBeginWithAFront(t *testing.T) {
	t.Parallel()
	before := filepath.Join(t.TempDir(), "before")
	c := config(t)
	complete(t, create(t, before, c, Options{}))
	front := open(t, before)
	for _, name := range algorithm.Names {
		c := config(t)
		c.SetAlgorithm(name)
		c.Seed, c.Generations, c.Population, c.Space.MaxBlocks = 7, 2, len(front.Front.Members)+2, c.Space.MaxBlocks+1
		c, err := Begin(c, []string{before, before}, arch.Shape{C: 1, H: 8, W: 8}) // each network once
		if err != nil {
			t.Fatal(err)
		}
		var fronts []string
		for _, jobs := range []int{1, 3} {
			path := filepath.Join(t.TempDir(), "run")
			fronts = append(fronts, complete(t, create(t, path, c, Options{Jobs: jobs})))
			r := open(t, path)
			for i, m := range front.Front.Members {
				want, got := front.ByID(m.ID), r.ByID(run.CandidateID(0, i))
				if got == nil || got.Identity != want.Identity || got.Origin != algorithm.OriginGiven {
					t.Errorf("%s: place %d has %+v, want the network of %s", name, i, got, m.ID)
				}
			}
			if other := r.ByID(run.CandidateID(0, len(front.Front.Members))); other == nil || other.Origin == algorithm.OriginGiven {
				t.Errorf("%s: behind them is %+v", name, other)
			}
		}
		if fronts[0] != fronts[1] {
			t.Errorf("%s: the front depends on the number of jobs", name)
		}
	}
	c, err := Begin(c, []string{before}, arch.Shape{C: 1, H: 8, W: 8})
	if err != nil {
		t.Fatal(err)
	}
	resumeFrom(t, c, 3)
}

func TestWhatSearchesCantBeginWith(t *testing.T) {
	t.Parallel()
	before := filepath.Join(t.TempDir(), "before")
	c := config(t)
	complete(t, create(t, before, c, Options{}))
	members := len(open(t, before).Front.Members)
	for name, x := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"another space": {func(c *Config) { c.Space = genome.Space{}.Named(genome.Paper) }, "its space is extended, that of this search is paper"},
		"fewer blocks":  {func(c *Config) { c.Space.MaxBlocks = 1 }, "(4 blocks, the space has 1): give --max-layers 4"},
		"few places":    {func(c *Config) { c.Population = members - 1 }, "or more"},
	} {
		c := config(t)
		x.change(&c)
		if _, err := Begin(c, []string{before}, arch.Shape{C: 1, H: 8, W: 8}); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Begin(c, []string{"nowhere"}, arch.Shape{C: 1, H: 8, W: 8}); err == nil {
		t.Error("a run that isn't there is taken")
	}
	c.Init = []genome.Genome{{}}
	if err := c.Validate(); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "genome 0 to begin with") {
		t.Errorf("an empty genome: %v", err)
	}
}

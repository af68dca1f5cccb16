package search

import (
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/genome"
)

// Begin is c with the members of other runs' fronts as the genomes that its first
// generation begins with, each genome once.
func Begin(c Config, paths []string) (Config, error) {
	c.Init = nil
	seen := map[string]bool{}
	for _, path := range paths {
		r, err := Open(path)
		if err != nil {
			return c, err
		}
		if r.Front == nil || len(r.Front.Members) == 0 {
			return c, fault.Usagef("--init %s: the run has no front to begin with", path)
		}
		for _, m := range r.Front.Members {
			cand, err := r.Candidate(m.ID)
			if err != nil {
				return c, err
			}
			g, err := taken(c.Space, r, cand)
			if err != nil {
				return c, err
			}
			if !seen[cand.Identity] {
				seen[cand.Identity] = true
				c.Init = append(c.Init, g)
			}
		}
	}
	if n := len(c.Init); n > c.Population {
		return c, fault.Usagef("--init: the fronts have %d networks, the population is %d: give --population %d or more", n, c.Population, n)
	}
	return c, nil
}

// taken is a candidate's genome as one of a space, which must mean the same there.
func taken(s genome.Space, r *run.Run, c *Candidate) (genome.Genome, error) {
	theirs := r.Config.Space
	if theirs.Name != s.Name || theirs.Rates != s.Rates {
		return c.Genome, fault.Usagef("--init %s: its space is %s, that of this search is %s: a genome means another network there", r.Path, theirs.Name, s.Name)
	}
	g := s.Widen(c.Genome)
	if err := s.Check(g); err != nil {
		return g, fault.Usagef("--init %s: %s does not fit into this search's space (%w): give --max-layers %d and --max-filters %d at least",
			r.Path, c.ID, err, theirs.MaxBlocks, theirs.MaxFilters)
	}
	return g, nil
}

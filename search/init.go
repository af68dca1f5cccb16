package search

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/regular"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/search/genome"
)

// Begin is c with the genomes that its first generation begins with, each network once:
// paths are runs, whose fronts' members are taken, networks in a file (arch.json), and
// exports, which have one. Images have the given shape.
func Begin(c Config, paths []string, shape arch.Shape) (Config, error) {
	c.Init = nil
	seen := map[string]bool{}
	for _, path := range paths {
		given, err := given(c, path, shape)
		if err != nil {
			return c, err
		}
		for _, g := range given {
			a, recipe, err := c.Space.Decode(g, shape, genome.Limits{})
			if id := arch.Identity(a, recipe); err != nil || !seen[id] {
				seen[id] = true
				c.Init = append(c.Init, g)
			}
		}
	}
	if n := len(c.Init); n > c.Population {
		return c, fault.Usagef("--init: there are %d networks to begin with, the population is %d: give --population %d or more", n, c.Population, n)
	}
	return c, nil
}

// CanBegin tells early whether there is something to begin with at a path.
func CanBegin(path string) error {
	if rundir.Exists(path) {
		return nil
	}
	if _, err := os.Stat(networkFile(path)); err != nil {
		return fault.Usagef("--init %s: there is no run (run.json), and no network (arch.json): %w", path, err)
	}
	return nil
}

// networkFile is the file of a network: itself, or arch.json in an export.
func networkFile(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, rundir.ArchFile)
	}
	return path
}

func given(c Config, path string, shape arch.Shape) ([]genome.Genome, error) {
	if !rundir.Exists(path) {
		g, err := ofFile(c, networkFile(path), shape)
		return []genome.Genome{g}, err
	}
	r, err := Open(path)
	if err != nil {
		return nil, err
	}
	if r.Front == nil || len(r.Front.Members) == 0 {
		return nil, fault.Usagef("--init %s: the run has no front to begin with", path)
	}
	var all []genome.Genome
	for _, m := range r.Front.Members {
		cand, err := r.Candidate(m.ID)
		if err != nil {
			return nil, err
		}
		g, err := taken(c.Space, r, cand)
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	return all, nil
}

// mostNetwork is more than any arch.json takes.
const mostNetwork = 1 << 20

// ofFile reads a network, which the space must have, for images of the given shape.
func ofFile(c Config, path string, shape arch.Shape) (g genome.Genome, err error) {
	n, err := readNetwork(path)
	if err == nil {
		err = n.Arch.Validate()
	}
	if err != nil {
		return g, fault.Usagef("--init %s: it is no network: %w; `moncae export` writes such files, arch.json", path, err)
	}
	if n.Arch.Input != shape {
		return g, fault.Usagef("--init %s: the network takes images of %v, these are of %v: give others, or --image-size and --channels", path, n.Arch.Input, shape)
	}
	if g, err = c.Space.Encode(n.Arch, n.Recipe); err != nil {
		return g, fault.Usagef("--init %s: the space %s of this search doesn't have this network: %w", path, c.Space.Name, err)
	}
	if _, _, err = c.Space.Decode(g, shape, genome.Limits{FLOPs: c.MaxFLOPs * int64(shape.H*shape.W)}); err != nil {
		return g, fault.Usagef("--init %s: %w: give a larger --max-flops (multiply-adds a pixel), or 0 for no limit", path, err)
	}
	return g, nil
}

func readNetwork(path string) (n rundir.Network, err error) {
	f, err := regular.Open(path)
	if err != nil {
		return n, err
	}
	defer func() { _ = f.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(f, mostNetwork+1))
	if err != nil {
		return n, err
	}
	if len(content) > mostNetwork {
		return n, fmt.Errorf("it is larger than %d KiB", mostNetwork>>10)
	}
	return n, json.Unmarshal(content, &n)
}

// taken is a candidate's genome as one of a space, which must mean the same there.
func taken(s genome.Space, r *run.Run, c *Candidate) (genome.Genome, error) {
	theirs := r.Config.Space
	if !theirs.Alike(s) {
		return c.Genome, fault.Usagef("--init %s: its space is %s, that of this search is %s: a genome means another network there", r.Path, theirs.Name, s.Name)
	}
	g := s.Widen(c.Genome)
	if err := s.Check(g); err != nil {
		return g, fault.Usagef("--init %s: %s does not fit into this search's space (%w): give --max-layers %d and --max-filters %d at least",
			r.Path, c.ID, err, theirs.MaxBlocks, theirs.MaxFilters)
	}
	return g, nil
}

// Package run is a search's run, as its folder has it: configuration, candidates,
// journal, front and times, and what a run's networks do to images.
//
//	r, err := run.Open("digits")
//	ids, err := r.Select("front")
//	set, err := r.Images(ctx, "", dataset.Options{})
//	loaded, err := r.Load(eng, set)
//	figures, err := loaded.Measure(ids[0], r.Validation(set))
//
// A search writes runs; export, classify and the report read them, each by this
// package. Files and their checksums are internal/rundir's.
//
// Promises: Open takes no lock and reads beside a process that is at work on the
// run; it believes nothing that a checksum doesn't vouch for, and damage is
// fault.Damaged. Measure repeats the search's own measurement: on one engine and
// device, a member's figures come out as the front has them. Test data are counted
// before they are read.
//
// Costs: Open takes the journal's size in memory; weights are read when asked for.
package run

import (
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/rundir"
	"moncae/internal/shell"
	"moncae/internal/suggest"
)

// Run is a run, for reading.
type Run struct {
	Path     string
	Manifest rundir.Manifest
	Config   Config
	// Front is front.json; nil before the first generation has finished.
	Front *Front
	// State has the candidates as they were bred.
	State
	Finished     bool // all generations and the finetuning
	TestOpenings int
	dir          *rundir.Dir
}

// Open reads the run in the folder path.
func Open(path string) (*Run, error) {
	dir, err := rundir.Read(path)
	if err != nil {
		return nil, err
	}
	r := &Run{Path: path, Manifest: dir.Manifest, TestOpenings: dir.TestOpenings(), dir: dir}
	if r.Config, err = ConfigOf(dir); err != nil {
		return nil, err
	}
	if r.State, err = Replay(r.Config, dir.Records()); err != nil {
		return nil, err
	}
	r.Config = r.Decided(r.Config)
	if r.Front, err = decodeFront(dir); err != nil {
		return nil, err
	}
	r.Finished = r.Next() >= r.Config.Generations && r.finetuned(r.Config, r.Manifest.Reference) && (r.Config.Time == 0 || r.Over())
	r.Candidates = inOrder(r.Candidates)
	if r.Front != nil {
		r.Front.Seconds = &r.Seconds
	}
	return r, nil
}

// Trained is a candidate with its network and its best weights.
type Trained struct {
	*Candidate
	Arch    arch.Arch
	Weights arch.Weights
}

// Trained reads a candidate's network and its best weights.
func (r *Run) Trained(id string) (Trained, error) {
	c, err := r.Candidate(id)
	if err != nil {
		return Trained{}, err
	}
	if c.Search == nil {
		return Trained{}, UnknownCandidate(r.Path, id, c)
	}
	n, err := r.dir.Network(*c.Network)
	if err != nil {
		return Trained{}, err
	}
	if n.ID != id || arch.Identity(n.Arch, n.Recipe) != c.Identity {
		return Trained{}, fault.Damagedf("%s: %s is not the network of candidate %s", r.Path, c.Network.Path, id)
	}
	w, err := r.dir.Weights(c.Best().Weights, n)
	return Trained{c, n.Arch, w}, err
}

// Arch reads the network of a candidate that has one.
func (r *Run) Arch(c *Candidate) (arch.Arch, error) {
	n, err := r.dir.Network(*c.Network)
	return n.Arch, err
}

// Candidate is the candidate with the given id.
func (r *Run) Candidate(id string) (*Candidate, error) {
	if c := r.ByID(id); c != nil {
		return c, nil
	}
	names := []string{SelectFront, SelectBestLoss, SelectKnee, SelectPopulation, "all"}
	for _, c := range r.Candidates {
		names = append(names, c.ID)
	}
	return nil, fault.Usagef("%w%s", UnknownCandidate(r.Path, id, nil), suggest.Meant(id, names))
}

// UnknownCandidate is the error of asking for the weights of a candidate that
// isn't there (nil), or that has none.
func UnknownCandidate(path, id string, c *Candidate) error {
	if c != nil {
		return fault.Usagef("%s: candidate %s has no weights: %s", path, id, c.Failure)
	}
	return fault.Usagef("%s: there is no candidate %q; `%s` lists those worth having", path, id, shell.Line("moncae", "front", path))
}

// String names the run for a person.
func (r *Run) String() string {
	return fmt.Sprintf("run %s of %s (%v)", r.Manifest.Run, r.Manifest.Data.Name, r.Manifest.Data.Shape)
}

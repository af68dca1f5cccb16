package search

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/rundir"
	"moncae/search/moo"
)

// Run is a run as its folder has it, for reading.
type Run struct {
	Manifest rundir.Manifest
	Config   Config
	// Front is front.json; nil before the first generation has finished.
	Front *Front
	// Candidates are all that were evaluated or refused, as they were bred.
	Candidates []*Candidate
	// Population are the ids of the last finished generation's population.
	Population   []string
	Generations  []GenerationReport
	Finished     bool    // all generations and the finetuning
	Seconds      float64 // of all sessions
	TestOpenings int
	dir          *rundir.Dir
}

// GenerationReport is what a finished generation came to.
type GenerationReport struct {
	Generation  int     `json:"generation"`
	Hypervolume float64 `json:"hypervolume"`
	Times       Times   `json:"times"`
}

// Open reads the run in the folder path, beside a process that may be at work on it.
func Open(path string) (*Run, error) {
	dir, err := rundir.Read(path)
	if err != nil {
		return nil, err
	}
	r := &Run{Manifest: dir.Manifest, TestOpenings: dir.TestOpenings(), dir: dir}
	if r.Config, err = configOf(dir); err != nil {
		return nil, err
	}
	st, err := replay(dir.Records())
	if err != nil {
		return nil, err
	}
	if r.Front, err = decodeFront(dir); err != nil {
		return nil, err
	}
	r.Candidates, r.Population, r.Seconds = inOrder(st.candidates), st.population, st.spentBefore
	for _, g := range st.generations {
		r.Generations = append(r.Generations, GenerationReport{g.Generation, g.Hypervolume, g.Times})
	}
	r.Finished = st.generation >= r.Config.Generations && st.finetuned(r.Config, r.Manifest.Reference)
	if r.Front != nil {
		r.Front.Seconds = &r.Seconds
	}
	return r, nil
}

// Candidate is the candidate with the given id.
func (r *Run) Candidate(id string) (*Candidate, error) {
	for _, c := range r.Candidates {
		if c.ID == id {
			return c, nil
		}
	}
	return nil, unknownCandidate(r.dir.Path, id, nil)
}

func unknownCandidate(path, id string, c *Candidate) error {
	if c != nil {
		return fault.Usagef("%s: candidate %s has no weights: %s", path, id, c.Failure)
	}
	return fault.Usagef("%s: there is no candidate %q; `moncae front %s` lists those worth having", path, id, path)
}

// What Select takes beside ids.
const (
	SelectFront      = "front" // also "all": the members, by rising number of values
	SelectPopulation = "population"
	SelectBestLoss   = "best-loss"
	SelectKnee       = "knee"
)

// Select are the ids of candidates with weights that a word or an id stands for.
func (r *Run) Select(what string) ([]string, error) {
	switch what {
	case SelectPopulation:
		return r.scoredPopulation()
	case "all", SelectFront, SelectBestLoss, SelectKnee:
	default:
		c, err := r.Candidate(what)
		if err != nil {
			return nil, err
		}
		if c.Search == nil {
			return nil, unknownCandidate(r.dir.Path, what, c)
		}
		return []string{what}, nil
	}
	if r.Front == nil || len(r.Front.Members) == 0 {
		return nil, fault.Usagef("%s: the front is empty: no candidate is better than the reference %v in %s; see `moncae front %s`",
			r.dir.Path, r.Manifest.Reference, strings.Join(r.Manifest.Objectives, ", "), r.dir.Path)
	}
	ms := r.Front.Members
	switch what {
	case SelectBestLoss:
		return []string{slices.MinFunc(ms, func(a, b Member) int { return cmp.Compare(r.loss(a), r.loss(b)) }).ID}, nil
	case SelectKnee:
		points := make([]moo.Point, len(ms))
		for i, m := range ms {
			points[i] = r.Config.point(m.Objectives)
		}
		return []string{ms[moo.Knee(points)].ID}, nil
	}
	ids := make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids, nil
}

func (r *Run) loss(m Member) float64 {
	return lossOf(r.Config.Loss, Figures{BCE: m.BCE, MSE: m.MSE})
}

func (r *Run) scoredPopulation() ([]string, error) {
	var ids []string
	for _, id := range r.Population {
		c, err := r.Candidate(id)
		if err != nil {
			return nil, err
		}
		if c.Search != nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, fault.Usagef("%s: no generation has finished with a trained candidate", r.dir.Path)
	}
	return ids, nil
}

// Network reads a candidate's network and its best weights.
func (r *Run) Network(id string) (rundir.Network, arch.Weights, error) {
	c, err := r.Candidate(id)
	if err != nil {
		return rundir.Network{}, nil, err
	}
	if c.Search == nil {
		return rundir.Network{}, nil, unknownCandidate(r.dir.Path, id, c)
	}
	n, err := r.dir.Network(*c.Network)
	if err != nil {
		return n, nil, err
	}
	if n.ID != id || arch.Identity(n.Arch, n.Recipe) != c.Identity {
		return n, nil, fault.Damagedf("%s: %s is not the network of candidate %s", r.dir.Path, c.Network.Path, id)
	}
	w, err := r.dir.Weights(c.Best().Weights, n)
	return n, w, err
}

// String names the run for a person.
func (r *Run) String() string {
	return fmt.Sprintf("run %s of %s (%v)", r.Manifest.Run, r.Manifest.Data.Name, r.Manifest.Data.Shape)
}

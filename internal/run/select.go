package run

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"

	"moncae/internal/fault"
	"moncae/internal/rundir"
	"moncae/internal/shell"
	"moncae/search/moo"
)

// What Select takes beside ids.
const (
	SelectFront      = "front" // also "all": the members, by rising number of values
	SelectPopulation = "population"
	SelectBestLoss   = "best-loss"
	SelectKnee       = "knee"
)

// Select are the ids of candidates with weights that words and ids stand for, each once.
func (r *Run) Select(what ...string) (ids []string, err error) {
	for _, w := range what {
		some, err := r.selected(w)
		if err != nil {
			return nil, err
		}
		for _, id := range some {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

func (r *Run) selected(what string) ([]string, error) {
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
			return nil, UnknownCandidate(r.Path, what, c)
		}
		return []string{what}, nil
	}
	if r.Front == nil || len(r.Front.Members) == 0 {
		return nil, fault.Usagef("%s: %s; see `%s`", r.Path, r.WhyEmpty(r.Config, r.Manifest.Reference), shell.Line("moncae", "front", r.Path))
	}
	ms := r.Front.Members
	switch what {
	case SelectBestLoss:
		return []string{slices.MinFunc(ms, func(a, b Member) int { return cmp.Compare(r.loss(a), r.loss(b)) }).ID}, nil
	case SelectKnee:
		points := make([]moo.Point, len(ms))
		for i, m := range ms {
			points[i] = r.Config.Point(m.Objectives)
		}
		return []string{ms[moo.Knee(points)].ID}, nil
	}
	ids := make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids, nil
}

// loss is what trainings minimised; where the search was not about it, by the figures.
func (r *Run) loss(m Member) float64 {
	if loss, ok := m.Objectives[ObjectiveLoss]; ok {
		return loss
	}
	blend, err := r.Config.Loss.Blend()
	if err != nil {
		panic("run: " + err.Error()) // Config.Validate has read it
	}
	return blend.Of(m.BCE, m.MSE, m.SSIM)
}

func (r *Run) scoredPopulation() ([]string, error) {
	for _, id := range r.Population {
		if _, err := r.Candidate(id); err != nil {
			return nil, err
		}
	}
	var ids []string
	for _, c := range r.Scored(r.Population) {
		ids = append(ids, c.ID)
	}
	if len(ids) == 0 {
		return nil, fault.Usagef("%s: no generation has finished with a trained candidate", r.Path)
	}
	return ids, nil
}

// Outdated are the candidates among the run's own exports that have other weights
// than before, when it was opened earlier.
func (r *Run) Outdated(before *Run) (ids []string) {
	for _, c := range before.Candidates {
		_, err := os.Stat(filepath.Join(r.Path, rundir.ExportDir, c.ID))
		if now := r.ByID(c.ID); err == nil && now != nil && now.Best().Weights != c.Best().Weights {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

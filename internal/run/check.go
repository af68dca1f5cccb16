package run

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/rundir"
	"moncae/search/algorithm"
)

// What a journal says may be wrong though its checksums are right: a program that
// reseals a changed record is enough. What the functions here let through, the rest
// of the package may believe.

func (c Config) checkManifest(m rundir.Manifest) error {
	switch {
	case !slices.Equal(m.Objectives, c.Objectives):
		return fmt.Errorf("field objectives is %v, the configuration's are %v", m.Objectives, c.Objectives)
	case len(m.Reference) != len(c.Objectives):
		return fmt.Errorf("field reference has %d numbers for %d objectives", len(m.Reference), len(c.Objectives))
	case !sides(m.Data.Shape):
		return fmt.Errorf("field data.shape is %v", m.Data.Shape)
	case m.Data.TrainRows < 1:
		return fmt.Errorf("field data.train_rows is %d", m.Data.TrainRows)
	}
	return nil
}

// most bounds a side and a product of sides, so that sizes stay far from overflowing.
const most = 1 << 30

func sides(s arch.Shape) bool {
	return s.C >= 1 && s.H >= 1 && s.W >= 1 && s.C <= most && s.H <= most/s.C && s.W <= most/s.C/s.H
}

func (c Config) checkCandidate(cand *Candidate) error {
	switch {
	case cand.Generation < 0 || cand.Index < 0 || cand.ID != CandidateID(cand.Generation, cand.Index):
		return fmt.Errorf("candidate %q is number %d of generation %d", cand.ID, cand.Index, cand.Generation)
	case !slices.Contains([]string{algorithm.OriginRandom, algorithm.OriginChild, algorithm.OriginGiven}, cand.Origin):
		return fmt.Errorf("candidate %s: origin %q", cand.ID, cand.Origin)
	case (cand.Failure == "") == (cand.Search == nil):
		return fmt.Errorf("candidate %s has a failure and a result, or neither", cand.ID)
	}
	if h := cand.Inherited; h != nil && (!c.Inherit || !(h.Share >= 0 && h.Share <= 1) || h.Epochs < 0 || GenerationOf(h.From) < 0) {
		return fmt.Errorf("candidate %s: it inherited %v of its weights from %q, which took %d epochs (inherit is %v)", cand.ID, h.Share, h.From, h.Epochs, c.Inherit)
	}
	if err := c.Space.Check(cand.Genome); err != nil {
		return fmt.Errorf("candidate %s: genome: %w", cand.ID, err)
	}
	if cand.Identity == "" && cand.Network == nil && cand.Search == nil {
		return nil // no network
	}
	if !sides(cand.Latent) || cand.Params < 1 || cand.FLOPs < 0 || cand.Steps < 0 || cand.Identity == "" {
		return fmt.Errorf("candidate %s: latent %v, %d parameters, %d multiply-adds, %d steps, identity %q", cand.ID, cand.Latent, cand.Params, cand.FLOPs, cand.Steps, cand.Identity)
	}
	if err := cand.Recipe.Validate(); err != nil {
		return fmt.Errorf("candidate %s: %w", cand.ID, err)
	}
	if n := cand.Network; n != nil && n.Path != cand.file(rundir.ArchFile) || n == nil && cand.Search != nil {
		return fmt.Errorf("candidate %s: its network is not %s", cand.ID, cand.file(rundir.ArchFile))
	}
	if cand.Search == nil {
		return nil
	}
	return c.checkResult(cand, cand.Search, rundir.WeightsFile)
}

func (c *Candidate) file(name string) string { return path.Join(rundir.CandidatesDir, c.ID, name) }

func (c Config) checkResult(cand *Candidate, r *Result, weights string) error {
	if r.Weights.Path != cand.file(weights) {
		return fmt.Errorf("candidate %s: weights %q, not %s", cand.ID, r.Weights.Path, cand.file(weights))
	}
	if r.Epochs < 0 || r.BestEpoch < 0 {
		return fmt.Errorf("candidate %s: %d epochs, the best %d", cand.ID, r.Epochs, r.BestEpoch)
	}
	for _, name := range c.Objectives {
		if _, ok := r.Values[name]; !ok {
			return fmt.Errorf("candidate %s: objective %s is missing", cand.ID, name)
		}
	}
	return nil
}

func (c Config) checkGeneration(st *State, g Generation) error {
	if g.Generation != st.Next() || g.Generation >= c.Generations {
		return fmt.Errorf("generation %d where %d of %d comes next", g.Generation, st.Next(), c.Generations)
	}
	for _, id := range g.Population {
		if st.byID[id] == nil {
			return fmt.Errorf("generation %d: %q, which is no candidate before it", g.Generation, id)
		}
	}
	return nil
}

func (c Config) checkFinetuned(st *State, f Finetuning) error {
	cand := st.byID[f.ID]
	switch {
	case cand == nil || cand.Search == nil:
		return fmt.Errorf("finetuning of %q, which is no trained candidate before it", f.ID)
	case f.Round < 0 || f.Epochs < 0 || st.HasFinetuned(f.ID, f.Round):
		return fmt.Errorf("finetuning of %s: round %d of %d epochs", f.ID, f.Round, f.Epochs)
	case f.Result == nil:
		return nil
	}
	return c.checkResult(cand, f.Result, FinetunedFile(f.Round))
}

// Verify checks a run's files, as rundir.Verify does, what they say, and that every
// candidate's weights are those of its network.
func Verify(path string) (rundir.Health, error) {
	h, err := rundir.Verify(path)
	if err != nil {
		return h, err
	}
	r, err := Open(path)
	if err != nil {
		return h, err
	}
	var damage []error
	for _, c := range r.Candidates {
		if c.Search != nil {
			_, err := r.Trained(c.ID)
			damage = append(damage, err)
		}
	}
	return h, errors.Join(damage...)
}

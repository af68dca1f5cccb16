package run

import (
	"slices"

	"moncae/internal/train"
)

// Training is a training of the search, as a comparison of searches counts it.
type Training struct {
	ID      string
	Steps   int     // of training
	Seconds float64 // of the run, until it was over
	Values  Values  // nil: it failed, or breaks a bound
}

// Trainings are all trainings of the search as they were bred: failed ones too, and
// without finetuning. Runs from before steps were journaled have them by their
// epochs; of a failed training, all that it might have had.
func (r *Run) Trainings() []Training {
	var all []Training
	journaled := slices.ContainsFunc(r.Candidates, func(c *Candidate) bool { return c.Steps > 0 })
	for _, c := range r.Candidates {
		if c.Network == nil {
			continue
		}
		t := Training{ID: c.ID, Steps: c.Steps, Seconds: r.Elapsed(c.ID)}
		if c.Search != nil && c.Search.Values.Within(r.Config.Bounds) {
			t.Values = c.Search.Values
		}
		if !journaled {
			t.Steps = r.epochSteps() * r.epochs(c)
		}
		all = append(all, t)
	}
	return all
}

// epochSteps are the training steps of an epoch of the search.
func (r *Run) epochSteps() int {
	rows := r.Manifest.Data.TrainRows - len(r.Manifest.ValidationIDs)
	if limit := r.Config.TrainLimit; limit > 0 {
		rows = min(rows, limit)
	}
	return rows / train.Batch(r.Config.Batch, rows)
}

func (r *Run) epochs(c *Candidate) int {
	if c.Search == nil {
		return r.Config.Epochs
	}
	return len(c.Search.History)
}

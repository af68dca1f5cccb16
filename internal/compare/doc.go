// Package compare holds searches against each other: several of each kind, seeds of
// one algorithm, by the hypervolume that their trainings reach.
//
//	result := compare.Of(groups)
//
// A trial is a training that began: one that failed counts as any other and adds
// nothing. The hypervolume after so many trainings or training steps takes the trials
// in the order in which the search asked for them; that after so many seconds, in the
// order in which they ended. Finetuning has no part in it.
//
// Budgets are equal when no search spent less: the fewest trainings, steps and seconds
// that one of all has. At each, two groups are compared by the rank test of
// stats.MannWhitney, and runs of one seed, which saw one split of the data, by that of
// pairs, stats.SignedRank; p-values are of single tests, not corrected for their number.
//
// The package is pure. It costs O(n²) for n trials of a search with two objectives.
package compare

import "moncae/search/moo"

// Trial is a training that began.
type Trial struct {
	Steps   int       // of training
	Seconds float64   // since the search began, until the trial was over
	Point   moo.Point // what it came to; nil: it failed
}

// Search is one search: its trials in the order in which it asked for them.
type Search struct {
	Name      string
	Seed      *uint64 // nil: not known
	Reference moo.Point
	Trials    []Trial
}

// Group is searches of one kind.
type Group struct {
	Name     string
	Searches []Search
}

// Axes are what a search spends.
const (
	Trainings = "trainings"
	Steps     = "steps"
	Seconds   = "seconds"
)

// Axes are all of them.
var Axes = []string{Trainings, Steps, Seconds}

// ByAxis has something for each of Axes.
type ByAxis[T any] struct {
	Trainings T `json:"trainings"`
	Steps     T `json:"steps"`
	Seconds   T `json:"seconds"`
}

// On is what stands for an axis.
func (b *ByAxis[T]) On(axis string) *T {
	switch axis {
	case Trainings:
		return &b.Trainings
	case Steps:
		return &b.Steps
	}
	return &b.Seconds
}

func byAxis[T any](of func(axis string) T) (b ByAxis[T]) {
	for _, axis := range Axes {
		*b.On(axis) = of(axis)
	}
	return b
}

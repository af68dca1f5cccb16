package search

import (
	"context"
	"errors"
	"slices"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/run"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/genome"
	"moncae/search/task"
)

// Evaluator trains what another program asks for, as a study with its
// configuration would, and keeps no run. One goroutine uses it.
type Evaluator struct {
	study  *Study
	crew   *crew
	unload func() error
}

// Evaluation is what came of a training.
type Evaluation struct {
	Failure string // why there is no score; "" where there is
	Values  run.Values
	Figures run.Figures
	Steps   int // of training that were made
	Seconds float64
}

// NewEvaluator readies trainings on set; of c, what plans a search counts for
// nothing, and of o, what keeps or tells of a run. Finish ends it.
func NewEvaluator(ctx context.Context, c Config, set *dataset.Set, o Options) (*Evaluator, error) {
	s, err := newStudy(c, set, o)
	if err != nil {
		return nil, err
	}
	unload, err := s.options.Trainer.Load(set)
	if err != nil {
		return nil, err
	}
	return &Evaluator{s, hire(ctx, s.options.Jobs, o.Memory), unload}, nil
}

// Config is what it trains by.
func (e *Evaluator) Config() Config { return e.study.config }

// Shape is that of the images.
func (e *Evaluator) Shape() arch.Shape { return e.study.set.Shape }

// Fingerprint is that of the data set.
func (e *Evaluator) Fingerprint() string { return e.study.fingerprint }

// Steps is how many steps a training makes at most.
func (e *Evaluator) Steps() int {
	c, n := e.study.config, len(e.study.limited)
	return c.Epochs * (n / train.Batch(c.Batch, n))
}

// Reference is the reference point, in the order of the configuration's objectives.
func (e *Evaluator) Reference() []float64 { return slices.Clone(e.study.reference) }

// Describe decodes a genome; one that can't become a member of a front is an error.
func (e *Evaluator) Describe(g genome.Genome) (*algorithm.Network, error) { return e.study.describe(g) }

// Start has a network trained beside others, and tells done what came of it; an
// error of done ends the evaluator. The result is a function of the
// configuration, the data, the network and the seed (nil: one that follows from
// the configuration's and the network), whatever else is trained and when.
func (e *Evaluator) Start(n *algorithm.Network, seed *uint64, done func(Evaluation) error) {
	s := e.study
	t := task.Training{
		Arch: n.Arch, Recipe: n.Recipe, Epochs: s.config.Epochs, Patience: s.config.Patience,
		Seed: seedOfNetwork(s.config.Seed, n.Identity), Train: s.rows.limited,
	}
	if seed != nil {
		t.Seed = *seed
	}
	s.complete(&t)
	e.crew.add(s.job(n.Arch, len(s.limited)*s.config.Epochs, func(ctx context.Context) error {
		begin := time.Now()
		out, result, err := s.measured(ctx, t, task.Watch{})
		if err != nil {
			return err
		}
		return done(Evaluation{Failure: out.Failure, Values: result.Values, Figures: result.Figures, Steps: out.Steps, Seconds: run.Seconds(time.Since(begin))})
	}))
}

// Over is closed when an error has ended the evaluator.
func (e *Evaluator) Over() <-chan struct{} { return e.crew.ctx.Done() }

// Cancel ends the trainings that are under way and that wait.
func (e *Evaluator) Cancel() { e.crew.cancel() }

// Finish waits for all trainings and frees what they ran on.
func (e *Evaluator) Finish() error { return errors.Join(e.crew.finish(), e.unload()) }

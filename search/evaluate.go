package search

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/internal/version"
	"moncae/search/inherit"
	"moncae/search/task"
)

// isDone tells whether a planned candidate is in the journal; one in its place
// that is another was planned by another program.
func (s *Study) isDone(c *Candidate) (bool, error) {
	old := s.recorded(c.ID)
	if old == nil {
		return false, nil
	}
	if old.Identity != c.Identity || s.config.Inherit && !reflect.DeepEqual([]any{old.Genome, old.Inherited}, []any{c.Genome, c.Inherited}) {
		return false, fault.Damagedf("%s: candidate %s is not the one that seed %d gives with this moncae (%s; the run was made by %s): continue it with that version",
			s.dir.Path, c.ID, s.config.Seed, c.Identity, s.dir.Manifest.Moncae)
	}
	return true, nil
}

// recorded is the candidate in the journal, nil for none.
func (s *Study) recorded(id string) *Candidate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.ByID(id)
}

// cost estimates how long a training takes by its multiply-adds, and by the values that
// it moves, which count as much as some arithmetic each.
func cost(a arch.Arch, images int) float64 {
	const perByte = 4
	return (float64(a.FLOPs()) + perByte*float64(a.TrainingBytes(1))) * float64(images)
}

func (s *Study) job(a arch.Arch, images int, do func(context.Context) error) job {
	return job{cost: cost(a, images), bytes: a.TrainingBytes(train.Batch(s.config.Batch, images)), do: do}
}

// evaluate trains a candidate, whose network is a, and records it; rungs may end it.
func (s *Study) evaluate(ctx context.Context, c Candidate, a arch.Arch, rungs []train.Rung, times *run.Times) error {
	begin := s.options.Now()
	s.emit(CandidateStarted{Candidate: &c, Epochs: s.config.Epochs})
	t := task.Training{
		Arch: a, Recipe: c.Recipe, Epochs: s.config.Epochs, Patience: s.config.Patience, Seed: s.seed(c.Generation, c.Index), Train: s.rows.limited, Rungs: rungs,
	}
	if err := s.inherit(&t, &c); err != nil {
		return fmt.Errorf("candidate %s: %w", c.ID, err)
	}
	out, result, err := s.train(ctx, c.ID, t, searchCheckpoint)
	if err != nil {
		return fmt.Errorf("candidate %s: %w", c.ID, err)
	}
	storing := time.Now()
	network := rundir.Network{ID: c.ID, Arch: a, Recipe: c.Recipe}
	file, err := s.dir.WriteNetwork(network)
	if err != nil {
		return err
	}
	c.Network = &file
	if c.Failure = out.Failure; c.Failure == "" {
		if c.Search, err = s.store(network, rundir.WeightsFile, out, result); err != nil {
			return err
		}
		if c.Inherited != nil {
			c.Search.Epochs += c.Inherited.Epochs
		}
	}
	c.Rungs, c.Stopped = out.Rungs, out.Stopped
	c.Steps, c.Seconds = out.Steps, run.Seconds(s.options.Now().Sub(begin))
	if err := s.record(&c); err != nil {
		return err
	}
	if err := s.dir.DropCheckpoint(c.ID, searchCheckpoint); err != nil {
		return err
	}
	s.spent(times, out.Phases, storing)
	return nil
}

// inherit has a candidate's training begin with what it inherits, if it does.
func (s *Study) inherit(t *task.Training, c *Candidate) error {
	if c.Inherited == nil {
		return nil
	}
	mother := s.recorded(c.Inherited.From)
	n, err := s.describe(mother.Genome)
	if err != nil {
		return err
	}
	hers, err := s.dir.Weights(mother.Search.Weights, rundir.Network{ID: mother.ID, Arch: n.Arch, Recipe: n.Recipe})
	if err != nil {
		return err
	}
	first := inherit.Weights(inherit.Network{Arch: t.Arch, Blocks: c.Genome.Active()}, inherit.Network{Arch: n.Arch, Blocks: mother.Genome.Active()},
		hers, arch.InitialWeights(t.Arch.Params(), t.Seed))
	t.Start, err = task.StartOf(t.Arch, first)
	return err
}

// store writes a training's weights and completes what it came to.
func (s *Study) store(n rundir.Network, name string, out task.Trained, r run.Result) (_ *run.Result, err error) {
	r.Epochs, r.BestEpoch, r.History = out.BestEpoch, out.BestEpoch, out.History
	r.Weights, err = s.dir.WriteWeights(n, name, out.Weights)
	return &r, err
}

// train does a training that belongs to a candidate, and measures its best weights
// on the validation images; t says what is its own. Its checkpoints have a name.
func (s *Study) train(ctx context.Context, id string, t task.Training, checkpoint string) (out task.Trained, result run.Result, err error) {
	s.complete(&t)
	watch := task.Watch{
		Progress: func(images int) { s.emit(Trained{ID: id, Images: images}) },
		Epoch:    func(n int, e train.Epoch) { s.emit(EpochFinished{ID: id, Epoch: n, Loss: e}) },
		Halt:     s.halt(),
	}
	what, err := s.trainingKey(id, t)
	if err != nil {
		return out, result, err
	}
	if watch.Keeping, err = s.keeping(id, checkpoint, what, t.Arch.Params()); err != nil {
		return out, result, err
	}
	if from := watch.Keeping.From; from != nil {
		watch.Progress(t.Done(*from))
	}
	return s.measured(ctx, t, watch)
}

// measured does a training that is complete, and measures its best weights on the
// validation images. One that memory can't hold alone fails.
func (s *Study) measured(ctx context.Context, t task.Training, watch task.Watch) (out task.Trained, result run.Result, err error) {
	result.Values = run.Static(t.Arch)
	if bytes := t.Arch.TrainingBytes(train.Batch(t.Batch, len(t.Train.Numbers))); s.options.Memory > 0 && bytes > s.options.Memory {
		out.Failure = fmt.Sprintf("out of memory: the training takes %d bytes, there are %d", bytes, s.options.Memory)
		return out, result, nil
	}
	if out, err = s.options.Trainer.Train(ctx, t, watch); err != nil || out.Failure != "" {
		return out, result, err
	}
	result.Figures = run.FiguresOf(out.Metrics, out.SSIM)
	result.Values[run.ObjectiveLoss] = out.Metrics.Loss
	if t.Probe != nil {
		result.Values[run.ObjectiveProbe] = out.Probe
	}
	return out, result, nil
}

// complete adds what all trainings of the run have in common.
func (s *Study) complete(t *task.Training) {
	t.Moncae, t.Class, t.Data = version.Number(), s.options.Trainer.Info().Class(s.config.Precision), s.fingerprint
	t.Batch, t.Loss, t.Denoise, t.Validation = s.config.Batch, s.config.Loss, s.config.Denoise, s.rows.validation
	if t.Probe == nil && s.config.Uses(run.ObjectiveProbe) {
		t.Probe = &s.rows.probe
	}
}

// record journals a candidate and lets it be known.
func (s *Study) record(c *Candidate) error {
	return s.append(c, func() {
		s.state.Add(c)
		s.options.Observer(CandidateFinished{Candidate: c})
	})
}

// spent adds a training's phases, and what came after it, to times.
func (s *Study) spent(times *run.Times, p train.Phases, storing time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*times = times.Plus(run.Times{
		Build: run.Seconds(p.Build), Compile: run.Seconds(p.Compile), Train: run.Seconds(p.Train), Validate: run.Seconds(p.Validate),
		Store: run.Seconds(time.Since(storing)),
	})
}

func (s *Study) emit(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Observer(e)
}

package search

import (
	"context"
	"fmt"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/train"
)

// isDone tells whether a planned candidate is in the journal; one in its place
// that is another was planned by another program.
func (s *Study) isDone(c *Candidate) (bool, error) {
	old := s.recorded(c.ID)
	if old == nil {
		return false, nil
	}
	if old.Identity != c.Identity {
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

// job estimates a training's length by its multiply-adds, and by the values that
// it moves, which count as much as some arithmetic each.
func (s *Study) job(a arch.Arch, images int, do func(context.Context) error) job {
	const perByte = 4
	image := float64(a.FLOPs()) + perByte*float64(a.TrainingBytes(1))
	return job{cost: image * float64(images), bytes: a.TrainingBytes(train.Batch(s.config.Batch, images)), do: do}
}

// evaluate trains a candidate, whose network is a, and records it.
func (s *Study) evaluate(ctx context.Context, c Candidate, a arch.Arch, times *run.Times) error {
	begin := time.Now()
	s.emit(CandidateStarted{Candidate: &c, Epochs: s.config.Epochs})
	out, result, err := s.train(ctx, c.ID, a, c.Recipe, train.Options{
		Epochs: s.config.Epochs, Patience: s.config.Patience, Seed: s.seed(c.Generation, c.Index), Train: s.limited,
	}, searchCheckpoint, "")
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
	}
	c.Steps, c.Seconds = out.Steps, run.Seconds(time.Since(begin))
	if err := s.record(&c); err != nil {
		return err
	}
	if err := s.dir.DropCheckpoint(c.ID, searchCheckpoint); err != nil {
		return err
	}
	s.spent(times, out.Phases, storing)
	return nil
}

// store writes a training's weights and completes what it came to.
func (s *Study) store(n rundir.Network, name string, out train.Outcome, r run.Result) (_ *run.Result, err error) {
	r.Epochs, r.BestEpoch, r.History = out.BestEpoch, out.BestEpoch, out.History
	r.Weights, err = s.dir.WriteWeights(n, name, out.Weights)
	return &r, err
}

// train trains a network on o's rows and measures its best weights on the
// validation images. A training that memory can't hold alone fails. Its checkpoints have
// a name; start names the weights that it begins with.
func (s *Study) train(ctx context.Context, id string, a arch.Arch, r arch.Recipe, o train.Options, checkpoint, start string) (out train.Outcome, result run.Result, err error) {
	o.Batch, o.Loss, o.Precision, o.Validation = s.config.Batch, s.config.Loss, s.config.Precision, s.validation
	if bytes := a.TrainingBytes(train.Batch(o.Batch, len(o.Train))); s.options.Memory > 0 && bytes > s.options.Memory {
		out.Failure = fmt.Sprintf("out of memory: the training takes %d bytes, there are %d", bytes, s.options.Memory)
		return out, result, nil
	}
	o.Progress = func(images int) { s.emit(Trained{ID: id, Images: images}) }
	o.Epoch = func(n int, e train.Epoch) { s.emit(EpochFinished{ID: id, Epoch: n, Loss: e}) }
	result.Values = run.Static(a)
	var ssim, probe float64
	o.Inspect = func(p engine.Program) (err error) {
		if ssim, err = run.SSIM(p, s.set, s.validation); err == nil && s.config.Uses(run.ObjectiveProbe) {
			probe, err = s.probe(p, a.Latent().Values())
		}
		return err
	}
	what, err := s.trainingKey(id, r, o, start)
	if err != nil {
		return out, result, err
	}
	if o.Keeping, err = s.keeping(id, checkpoint, what, a.Params()); err != nil {
		return out, result, err
	}
	if from := o.Keeping.From; from != nil {
		steps := (from.Epoch-1)*(len(o.Train)/train.Batch(o.Batch, len(o.Train))) + from.Step
		o.Progress(steps * train.Batch(o.Batch, len(o.Train)))
	}
	out, err = s.fit(ctx, s.options.Engine, s.data, a, r, o)
	result.Figures = run.FiguresOf(out.Metrics, ssim)
	result.Values[run.ObjectiveLoss] = result.Figures.Loss(s.config.Loss)
	if s.config.Uses(run.ObjectiveProbe) {
		result.Values[run.ObjectiveProbe] = probe
	}
	return out, result, err
}

// record journals a candidate and lets it be known.
func (s *Study) record(c *Candidate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.append(c); err != nil {
		return err
	}
	s.state.Add(c)
	s.options.Observer(CandidateFinished{Candidate: c})
	return nil
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

package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/search/task"
)

// finetuneAll trains what the configuration says on, from the weights of the search.
func (s *Study) finetuneAll(ctx context.Context) error {
	for i := 0; ; i++ {
		more, err := s.nextRound(i)
		if err != nil || !more {
			return err
		}
		if err := s.finetune(ctx, s.state.Chosen(s.config, s.reference, i), i, s.config.Finetune.Rounds()[i], s.config.Finetune.Recipe); err != nil {
			return err
		}
	}
}

// Finetune trains candidates on for so many epochs on all training images, from
// their best weights, which stay unless beaten on validation images. A nil recipe
// is each candidate's own. Then it writes the front anew.
func (s *Study) Finetune(ctx context.Context, ids []string, epochs int, recipe *arch.Recipe) (front Front, err error) {
	var chosen []*Candidate
	for _, id := range ids {
		c := s.state.ByID(id)
		if c == nil || c.Search == nil {
			return front, run.UnknownCandidate(s.dir.Path, id, c)
		}
		chosen = append(chosen, c)
	}
	round := len(s.config.Finetune.Rounds())
	for _, f := range s.state.Finetunings {
		round = max(round, f.Round+1)
	}
	unload, err := s.load()
	if err != nil {
		return front, err
	}
	defer func() { err = errors.Join(err, unload()) }()
	defer s.live.end()
	r := run.Round{Epochs: epochs}
	if round, err = s.interruptedRound(chosen, round, r, recipe); err != nil {
		return front, err
	}
	if err := s.finetune(ctx, chosen, round, r, recipe); err != nil {
		return front, err
	}
	return s.writeFront()
}

func (s *Study) finetune(ctx context.Context, chosen []*Candidate, round int, r run.Round, recipe *arch.Recipe) error {
	if len(chosen) == 0 {
		return nil
	}
	var (
		begin = time.Now()
		times run.Times
		jobs  []job
		rows  = s.roundRows(r)
	)
	for _, c := range chosen {
		if s.state.HasFinetuned(c.ID, round) {
			continue
		}
		n, err := s.dir.Network(*c.Network)
		if err != nil {
			return err
		}
		t := s.refining(c, round, r.Epochs, rows)
		t.Arch, t.Recipe = n.Arch, n.Recipe
		if recipe != nil {
			t.Recipe = *recipe
		}
		jobs = append(jobs, s.job(n.Arch, len(rows.Numbers)*r.Epochs, func(ctx context.Context) error {
			return s.refine(ctx, c, n, t, round, &times)
		}))
	}
	s.emit(FinetuneStarted{Round: round, Of: len(s.config.Finetune.Rounds()), Candidates: len(jobs), Epochs: r.Epochs, ImagesPerEpoch: len(rows.Numbers)})
	idle, err := runJobs(ctx, jobs, s.options.Jobs, s.options.Memory)
	if err != nil {
		return err
	}
	times.Idle, times.Wall = run.Seconds(idle), run.Seconds(time.Since(begin))
	s.emit(FinetuneFinished{Times: times.Rounded()})
	return nil
}

// refine is one candidate's finetuning.
func (s *Study) refine(ctx context.Context, c *Candidate, n rundir.Network, t task.Training, round int, times *run.Times) error {
	begin := s.options.Now()
	before := c.Best()
	weights, err := s.dir.Weights(before.Weights, n)
	if err != nil {
		return err
	}
	s.emit(CandidateStarted{Candidate: c, Finetuning: true, Epochs: t.Epochs})
	t.Probe, t.Start.Weights = s.probeWithin(), weights
	out, result, err := s.train(ctx, c.ID, t, finetuneCheckpoint(round))
	if err != nil {
		return fmt.Errorf("finetuning %s: %w", c.ID, err)
	}
	storing := time.Now()
	f := run.Finetuning{ID: c.ID, Round: round, Epochs: out.Epochs, Failure: out.Failure}
	if out.Failure == "" && out.BestEpoch > 0 {
		if f.Result, err = s.store(n, run.FinetunedFile(round), out, result); err != nil {
			return err
		}
		f.Result.Epochs += before.Epochs
	}
	f.Seconds = run.Seconds(s.options.Now().Sub(begin))
	if err := s.recordFinetuned(c, f); err != nil {
		return err
	}
	if err := s.dir.DropCheckpoint(c.ID, finetuneCheckpoint(round)); err != nil {
		return err
	}
	s.spent(times, out.Phases, storing)
	return nil
}

// refining is a finetuning, but for its network and first weights.
func (s *Study) refining(c *Candidate, round, epochs int, rows task.Rows) task.Training {
	return task.Training{
		Epochs: epochs, Train: rows, Start: &task.Start{SHA256: c.Best().Weights.SHA256, Keep: true},
		Seed: seedOf(s.config.Seed, c.Generation, c.Index, fmt.Sprintf("finetune %d", round)),
	}
}

// roundRows are the images that a round of finetuning trains on.
func (s *Study) roundRows(r run.Round) task.Rows {
	if r.Images == 0 {
		return s.rows.training
	}
	return task.RowsOf(dataset.Sample(s.set, s.training, r.Images, s.config.Seed))
}

func (s *Study) recordFinetuned(c *Candidate, f run.Finetuning) error {
	return s.append(f, func() {
		s.state.Improve(f)
		s.options.Observer(CandidateFinished{Candidate: c, Finetuning: true, Improved: f.Result != nil})
	})
}

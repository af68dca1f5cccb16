package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/train"
	"moncae/search/task"
)

// searchCheckpoint is the name of checkpoints of the search's own trainings.
const searchCheckpoint = "search"

func finetuneCheckpoint(round int) string { return fmt.Sprintf("finetune-%d", round) }

// dropStale removes checkpoints of trainings that are in the journal: a crash came
// between a record and its checkpoint's end.
func (s *Study) dropStale() error {
	var errs []error
	for _, c := range s.state.Candidates {
		errs = append(errs, s.dir.DropCheckpoint(c.ID, searchCheckpoint))
	}
	for _, f := range s.state.Finetunings {
		errs = append(errs, s.dir.DropCheckpoint(f.ID, finetuneCheckpoint(f.Round)))
	}
	return errors.Join(errs...)
}

// interruptedRound is the round of this very finetuning that was interrupted after
// some candidates, which a checkpoint of another one tells; else next.
func (s *Study) interruptedRound(chosen []*Candidate, next int, round run.Round, recipe *arch.Recipe) (int, error) {
	for number := next - 1; number >= len(s.config.Finetune.Rounds()); number-- {
		for _, c := range chosen {
			if s.state.HasFinetuned(c.ID, number) {
				continue
			}
			kept, ok, err := s.dir.ReadCheckpoint(c.ID, finetuneCheckpoint(number))
			if err != nil || !ok {
				continue // what is damaged is told when it is wanted
			}
			r := c.Recipe
			if recipe != nil {
				r = *recipe
			}
			t := s.refining(c, number, round.Epochs, s.roundRows(round))
			t.Recipe = r
			s.complete(&t)
			what, err := s.trainingKey(c.ID, t)
			if err != nil || kept.Training == what {
				return number, err
			}
		}
	}
	return next, nil
}

// trainingKey says all that a training's bits depend on.
func (s *Study) trainingKey(id string, t task.Training) (string, error) {
	start := ""
	if t.Start != nil {
		start = t.Start.SHA256
	}
	b, err := json.Marshal(struct {
		Run, ID, Moncae string
		Class           engine.Class
		Recipe          arch.Recipe
		Epochs, Batch   int
		Patience, Rows  int
		Seed            uint64
		Start           string
	}{
		s.dir.Manifest.Run, id, t.Moncae, t.Class, t.Recipe, t.Epochs, t.Batch, t.Patience, len(t.Train.Numbers), t.Seed, start,
	})
	return string(b), err
}

// keeping has the training that says what keep its checkpoints under name, and go on
// from the one that is there, if it is that training's own and sound.
func (s *Study) keeping(id, name, what string, params []arch.Param) (train.Keeping, error) {
	k := train.Keeping{Every: s.options.CheckpointEvery, Save: func(c train.Checkpoint) error {
		return s.keep(id, name, what, c)
	}}
	c, ok, err := s.dir.ReadCheckpoint(id, name)
	if fault.Of(err) == fault.Damaged && err != nil {
		slog.Warn("a checkpoint is damaged; the training begins anew", "error", err)
		return k, nil
	}
	if err != nil || !ok || c.Training != what {
		return k, err
	}
	from, err := task.Unpack(c, params)
	if err != nil {
		slog.Warn("a checkpoint does not fit; the training begins anew", "candidate", id, "error", err)
		return k, nil
	}
	k.From = &from
	return k, nil
}

func (s *Study) keep(id, name, what string, c train.Checkpoint) error {
	packed, err := task.Pack(what, c)
	if err != nil {
		return err
	}
	return s.dir.WriteCheckpoint(id, name, packed)
}

package search

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/internal/version"
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
func (s *Study) interruptedRound(chosen []*Candidate, next, epochs int, recipe *arch.Recipe) (int, error) {
	for round := next - 1; round >= len(s.config.Finetune.Rounds()); round-- {
		for _, c := range chosen {
			if s.state.HasFinetuned(c.ID, round) {
				continue
			}
			kept, ok, err := s.dir.ReadCheckpoint(c.ID, finetuneCheckpoint(round))
			if err != nil || !ok {
				continue // what is damaged is told when it is wanted
			}
			r := c.Recipe
			if recipe != nil {
				r = *recipe
			}
			what, err := s.trainingKey(c.ID, r, s.refining(c, round, epochs), c.Best().Weights.SHA256)
			if err != nil || kept.Training == what {
				return round, err
			}
		}
	}
	return next, nil
}

// kept is what of a train.Checkpoint is JSON.
type kept struct {
	Epoch     int            `json:"epoch"`
	Step      int            `json:"step"`
	Sum       float64        `json:"sum"`
	Steps     uint64         `json:"steps"` // since the training began
	Metrics   engine.Metrics `json:"metrics"`
	BestEpoch int            `json:"best_epoch"`
	Epochs    int            `json:"epochs"`
	History   []train.Epoch  `json:"history"`
}

// The groups of tensors in a checkpoint; a name is group and parameter.
const (
	groupWeights = "weights/"
	groupSlot0   = "slot0/"
	groupSlot1   = "slot1/"
	groupAverage = "average/"
	groupBest    = "best/"
)

// trainingKey says all that a training's bits depend on; start names its first weights.
func (s *Study) trainingKey(id string, r arch.Recipe, o train.Options, start string) (string, error) {
	b, err := json.Marshal(struct {
		Run, ID, Moncae string
		Class           engine.Class
		Recipe          arch.Recipe
		Epochs, Batch   int
		Patience, Rows  int
		Seed            uint64
		Start           string
	}{
		s.dir.Manifest.Run, id, version.Number(), s.options.Engine.Info().Class(s.config.Precision), r,
		o.Epochs, s.config.Batch, o.Patience, len(o.Train), o.Seed, start,
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
	from, err := decodeKept(c, params)
	if err != nil {
		slog.Warn("a checkpoint does not fit; the training begins anew", "candidate", id, "error", err)
		return k, nil
	}
	k.From = &from
	return k, nil
}

func (s *Study) keep(id, name, what string, c train.Checkpoint) error {
	state, err := json.Marshal(kept{c.Epoch, c.Step, c.Sum, c.State.Steps, c.Outcome.Metrics, c.Outcome.BestEpoch, c.Outcome.Epochs, c.Outcome.History})
	if err != nil {
		return err
	}
	out := rundir.Checkpoint{Training: what, State: state, Singles: map[string][]float32{}, Doubles: map[string][]float64{}}
	add := func(group string, w arch.Weights) {
		for name, v := range w {
			out.Singles[group+name] = v
		}
	}
	add(groupWeights, c.State.Weights)
	add(groupSlot0, c.State.Slots[0])
	add(groupSlot1, c.State.Slots[1])
	add(groupBest, c.Outcome.Weights)
	for name, v := range c.State.Averages {
		out.Doubles[groupAverage+name] = v
	}
	return s.dir.WriteCheckpoint(id, name, out)
}

func decodeKept(c rundir.Checkpoint, params []arch.Param) (out train.Checkpoint, err error) {
	var k kept
	if err := json.Unmarshal(c.State, &k); err != nil {
		return out, err
	}
	group := func(prefix string) arch.Weights {
		w := arch.Weights{}
		for name, v := range c.Singles {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				w[rest] = v
			}
		}
		return w
	}
	out = train.Checkpoint{Epoch: k.Epoch, Step: k.Step, Sum: k.Sum, State: engine.State{
		Steps: k.Steps, Weights: group(groupWeights), Slots: [2]arch.Weights{group(groupSlot0), group(groupSlot1)}, Averages: map[string][]float64{},
	}, Outcome: train.Outcome{Metrics: k.Metrics, BestEpoch: k.BestEpoch, Epochs: k.Epochs, History: k.History}}
	for name, v := range c.Doubles {
		if rest, ok := strings.CutPrefix(name, groupAverage); ok {
			out.State.Averages[rest] = v
		}
	}
	if best := group(groupBest); len(best) > 0 {
		if err := best.Check(params); err != nil {
			return out, err
		}
		out.Outcome.Weights = best
	}
	return out, out.State.Check(params)
}

package train

import (
	"errors"
	"math"
	"time"

	"moncae/internal/engine"
)

// Checkpoint is where a training stands between two calls of its engine. With it, the
// training goes on in another process, on an engine of the same class, to the same
// bits. Orders of rows, dropout's numbers and noise follow from Options.Seed, Epoch and Step,
// and from the State's own count of steps.
type Checkpoint struct {
	Epoch int     // under way, from 1
	Step  int     // made of it
	Sum   float64 // of their losses
	State engine.State
	// Outcome is what the epochs before came to; its Weights are those of the best.
	Outcome Outcome
}

// Keeping says when checkpoints are kept. They are at most 1 % of the time: after one
// that took long, the next waits longer.
type Keeping struct {
	Every time.Duration // of training; 0: none
	Save  func(Checkpoint) error
	From  *Checkpoint // to go on from; nil: from the beginning
}

// share is how much of a training's time is left between checkpoints, for each unit
// of time that one takes.
const share = 99

// keeper decides when to save.
type keeper struct {
	Keeping
	last time.Time
	wait time.Duration
}

func newKeeper(k Keeping) *keeper {
	return &keeper{Keeping: k, last: time.Now(), wait: k.Every}
}

func (k *keeper) due() bool { return k.Every > 0 && time.Since(k.last) >= k.wait }

// keep saves the training after so many steps of an epoch.
func (t *training) keep(epoch, step int, sum float64) error {
	begin := time.Now()
	s, err := t.p.State()
	if err != nil {
		return err
	}
	if err := t.keeper.Save(Checkpoint{Epoch: epoch, Step: step, Sum: sum, State: s, Outcome: t.out}); err != nil {
		return err
	}
	t.keeper.last = time.Now()
	t.keeper.wait = max(t.keeper.Every, share*time.Since(begin))
	return nil
}

// interrupted is the error of a training that was cancelled, which is kept before.
func (t *training) interrupted(epoch, step int, sum float64) error {
	err := t.ctx.Err()
	if err == nil || t.keeper.Every == 0 || epoch == 1 && step == 0 {
		return err
	}
	return errors.Join(err, t.keep(epoch, step, sum))
}

// restore goes on from a checkpoint, and gives the best score so far.
func (t *training) restore(c *Checkpoint) (best float64, err error) {
	phases := t.out.Phases
	t.out = c.Outcome
	t.out.Phases = phases
	best = math.Inf(1)
	if t.out.Weights != nil {
		best = t.out.Score
	}
	return best, t.p.SetState(c.State)
}

// Package train trains one network on an engine: shuffling, learning-rate
// schedule, early stopping on validation data, and the best weights kept.
//
// Three ends are told apart: an Outcome with weights; an Outcome with a Failure,
// where the network can't be trained (it can't be built, it diverged, or the
// device hasn't the memory), which is a result to record; and an error, where the machine or the
// caller ended it (a cancelled context gives its own error).
//
// Everything that is drawn follows from Options.Seed, so the same options give
// the same weights on the same engine and device, bit for bit, whatever runs
// beside it. Engines are called for at most Chunk steps at a time: cancellation
// and progress are prompt.
package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// Chunk is the most training steps that one call of an engine makes.
const Chunk = 64

// Exploded is the loss from which on a training counts as diverged: a thousand
// times what any guess without an image costs.
const Exploded = 1e3

// Options say how a network is trained beside its recipe.
type Options struct {
	Epochs   int
	Patience int // stop after so many epochs without a better validation loss; 0: never
	Batch    int // clipped to the number of training rows; a last partial batch is dropped
	Seed     uint64
	Loss     graph.Loss
	// Denoise is the standard deviation of the noise in training images; 0: none.
	// What is measured is measured without.
	Denoise float64
	// Train and Validation are row numbers of the data.
	Train, Validation []int32
	// Weights are where the training begins; nil: arch.InitialWeights by Seed. With KeepStart,
	// they count as epoch 0 and are the result unless an epoch beats them, even if
	// the training diverges.
	Weights   arch.Weights
	KeepStart bool
	Precision engine.Precision
	// Score, where set, is what the weights after an epoch are compared by, less being
	// better; without it, the validation loss is.
	Score func(loss float64, p engine.Program) (float64, error)
	// Inspect, where set, sees the program once more at the end of a training that
	// did not fail, with the best weights in it.
	Inspect func(engine.Program) error
	// Keeping keeps checkpoints, and goes on from one.
	Keeping Keeping
	// Rungs, by rising step, are where the training is judged before its end.
	Rungs []Rung
	// Halt, where set, is asked now and then whether the training is to end with what it
	// has.
	Halt func() bool
	// Progress, where set, hears of the training images done since the last call.
	Progress func(images int)
	// Epoch, where set, hears of each epoch, from 1, after its validation.
	Epoch func(n int, e Epoch)
}

// Rung is a place within a training.
type Rung struct {
	Step int `json:"step"` // of all epochs, from 1
	// Most is the validation loss there above which the training ends; 0: none.
	Most float64 `json:"most,omitempty"`
}

// Outcome is what came of a training.
type Outcome struct {
	// Failure is why there are no weights; "" where there are.
	Failure   string
	Weights   arch.Weights   // of the best epoch
	Score     float64        // of those weights
	Metrics   engine.Metrics // of those weights on the validation rows
	BestEpoch int            // from 1; 0 for the starting weights
	Epochs    int            // done
	Steps     int            // made, those of a failed training too
	History   []Epoch
	Rungs     []float64 // the validation losses at Options.Rungs, as far as it came
	Stopped   bool      // by the last of them
	Phases    Phases
}

// Epoch is one epoch's mean training loss, and the validation loss after it.
type Epoch struct {
	Train      float64 `json:"train"`
	Validation float64 `json:"validation"`
}

// Phases are the wall-clock times of a training's parts.
type Phases struct {
	Build    time.Duration // the graphs, gradients included
	Compile  time.Duration
	Train    time.Duration
	Validate time.Duration
}

// Autoencoder trains a from its recipe.
func Autoencoder(ctx context.Context, eng engine.Engine, data engine.Data, a arch.Arch, r arch.Recipe, o Options) (Outcome, error) {
	if err := o.validate(); err != nil {
		return Outcome{}, err
	}
	begin := time.Now()
	net, err := graph.Denoiser(a, o.batch(), o.Loss, o.Denoise, o.Seed)
	build := time.Since(begin)
	if err != nil {
		return Outcome{Failure: "can't be built: " + err.Error(), Phases: Phases{Build: build}}, nil
	}
	out, err := Net(ctx, eng, data, net, r, o)
	out.Phases.Build = build
	return out, err
}

// Net trains a net that was built for o's batch, which Batch tells.
func Net(ctx context.Context, eng engine.Engine, data engine.Data, net *graph.Net, r arch.Recipe, o Options) (Outcome, error) {
	if err := errors.Join(o.validate(), r.Validate()); err != nil {
		return Outcome{}, err
	}
	if net.Batch != o.batch() {
		return Outcome{}, fmt.Errorf("train: a net for batches of %d, the options give %d", net.Batch, o.batch())
	}
	if err := ctx.Err(); err != nil {
		return Outcome{}, err
	}
	t := &training{ctx: ctx, o: o, recipe: r, batch: net.Batch, keeper: newKeeper(o.Keeping)}
	weights := o.Weights
	if weights == nil {
		weights = arch.InitialWeights(net.Params, o.Seed)
	}
	begin := time.Now()
	p, err := eng.Compile(net, data, engine.Config{Optimizer: r.Optimizer, Precision: o.Precision, Weights: weights})
	t.out.Phases.Compile = time.Since(begin)
	if err == nil {
		t.p = p
		err = errors.Join(t.whole(weights), p.Close())
	}
	if errors.Is(err, engine.ErrMemory) || errors.Is(err, engine.ErrFault) {
		return Outcome{Failure: err.Error(), Steps: t.out.Steps, Phases: t.out.Phases}, nil
	}
	return t.out, err
}

// Batch is the batch that a training with so many rows uses.
func Batch(batch, rows int) int { return min(batch, rows) }

func (o Options) batch() int { return Batch(o.Batch, len(o.Train)) }

func (o Options) validate() error {
	switch {
	case o.Epochs < 1:
		return fmt.Errorf("train: %d epochs", o.Epochs)
	case o.Patience < 0:
		return fmt.Errorf("train: patience %d", o.Patience)
	case o.Batch < 1:
		return fmt.Errorf("train: batch of %d", o.Batch)
	case len(o.Train) == 0 || len(o.Validation) == 0:
		return fmt.Errorf("train: %d training and %d validation rows", len(o.Train), len(o.Validation))
	}
	return nil
}

// epochStream is added to an epoch's number for the stream of its order.
const epochStream = 1 << 32

// training is a training under way.
type training struct {
	ctx    context.Context
	p      engine.Program
	o      Options
	recipe arch.Recipe
	batch  int
	out    Outcome
	last   engine.Metrics // at a rung, or where it was halted
	halted bool
	keeper *keeper
}

// whole is the training with the inspection after it.
func (t *training) whole(start arch.Weights) error {
	if err := t.run(start); err != nil || t.out.Failure != "" || t.o.Inspect == nil {
		return err
	}
	begin := time.Now()
	defer func() { t.out.Phases.Validate += time.Since(begin) }()
	if err := t.p.SetWeights(t.out.Weights); err != nil {
		return err
	}
	return t.o.Inspect(t.p)
}

func (t *training) run(start arch.Weights) error {
	best, from := math.Inf(1), &Checkpoint{Epoch: 1}
	if t.keeper.From != nil {
		from = t.keeper.From
		var err error
		if best, err = t.restore(from); err != nil {
			return err
		}
	} else if t.o.KeepStart {
		m, err := t.validate()
		if err != nil {
			return err
		}
		if !diverged(m.Loss) {
			if best, err = t.score(m.Loss); err != nil {
				return err
			}
			t.out.Metrics, t.out.Weights, t.out.Score = m, start, best
		}
	}
	steps := len(t.o.Train) / t.batch
	for e := from.Epoch; e <= t.o.Epochs; e++ {
		if e > 1 && t.halts() {
			return nil
		}
		loss, ok, err := t.epoch(e, steps, from.Step, from.Sum)
		if err != nil {
			return err
		}
		if t.out.Stopped || t.halted {
			return t.stopped(e, loss, best)
		}
		if !ok {
			return nil
		}
		from = &Checkpoint{}
		m, err := t.validate()
		if err != nil {
			return err
		}
		t.out.Epochs = e
		if diverged(m.Loss) {
			t.fail("diverged: the validation loss is %v after epoch %d", m.Loss, e)
			return nil
		}
		t.out.History = append(t.out.History, Epoch{loss, m.Loss})
		if t.o.Epoch != nil {
			t.o.Epoch(e, t.out.History[len(t.out.History)-1])
		}
		score, err := t.score(m.Loss)
		if err != nil {
			return err
		}
		if score < best {
			best, t.out.Metrics, t.out.BestEpoch, t.out.Score = score, m, e, score
			if t.out.Weights, err = t.p.Weights(); err != nil {
				return err
			}
		}
		if t.o.Patience > 0 && e-t.out.BestEpoch >= t.o.Patience {
			return nil
		}
	}
	return nil
}

// score is what the program's weights, of this validation loss, are compared by.
func (t *training) score(loss float64) (float64, error) {
	if t.o.Score == nil {
		return loss, nil
	}
	begin := time.Now()
	defer func() { t.out.Phases.Validate += time.Since(begin) }()
	return t.o.Score(loss, t.p)
}

func diverged(loss float64) bool { return !(loss < Exploded) }

// fail ends a training; starting weights that are to be kept outlive it.
func (t *training) fail(format string, args ...any) {
	if t.o.KeepStart && t.out.Weights != nil {
		return
	}
	t.out.Weights, t.out.Metrics = nil, engine.Metrics{}
	t.out.Failure = fmt.Sprintf(format, args...)
}

// epoch trains on every row once, in an order of its own, and gives the mean
// loss; not ok is a training that diverged or was stopped. done of its steps, with the sum of their
// losses, were made before.
func (t *training) epoch(e, steps, done int, sum float64) (mean float64, ok bool, err error) {
	begin := time.Now()
	defer func() { t.out.Phases.Train += time.Since(begin) }()
	rows := append([]int32(nil), t.o.Train...)
	rng := rand.New(rand.NewPCG(t.o.Seed, epochStream+uint64(e)))
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	first, total := (e-1)*steps, t.o.Epochs*steps
	t.out.Steps = first + done
	rates, losses := make([]float32, min(Chunk, steps)), make([]float32, min(Chunk, steps))
	for at, n := done, 0; ; at += n {
		if err := t.interrupted(e, at, sum); err != nil {
			return 0, false, err
		}
		if at > 0 && t.halts() {
			t.halted = true
			return sum / float64(at), false, t.glance()
		}
		if at > 0 && t.nextRung() == first+at {
			if stop, err := t.judge(); err != nil || stop {
				return sum / float64(at), false, err
			}
		}
		if at == steps {
			return sum / float64(steps), true, nil
		}
		n = min(Chunk, steps-at)
		if next := t.nextRung(); next > first+at {
			n = min(n, next-first-at)
		}
		for i := range n {
			rates[i] = float32(Rate(t.recipe.Schedule, t.recipe.LearningRate, first+at+i, total))
		}
		if err := t.p.Train(rows[at*t.batch:(at+n)*t.batch], rates[:n], losses[:n]); err != nil {
			return 0, false, err
		}
		t.out.Steps = first + at + n
		for i, loss := range losses[:n] {
			if diverged(float64(loss)) {
				t.fail("diverged: the training loss is %v at step %d", loss, first+at+i+1)
				return 0, false, nil
			}
			sum += float64(loss)
		}
		if t.o.Progress != nil {
			t.o.Progress(n * t.batch)
		}
		if t.keeper.due() {
			if err := t.keep(e, at+n, sum); err != nil {
				return 0, false, err
			}
		}
	}
}

func (t *training) halts() bool { return t.o.Halt != nil && t.o.Halt() }

func (t *training) validate() (engine.Metrics, error) {
	if err := t.ctx.Err(); err != nil {
		return engine.Metrics{}, err
	}
	begin := time.Now()
	defer func() { t.out.Phases.Validate += time.Since(begin) }()
	return t.p.Evaluate(t.o.Validation)
}

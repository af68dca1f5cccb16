package classify

import (
	"context"
	"errors"
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/internal/train"
)

// heldShare is the part of the training rows, of every class, that early
// stopping watches.
const heldShare = 0.1

// examples are labelled features: rows of shape.Values() float32, CHW order.
type examples struct {
	shape    arch.Shape
	features []float32
	labels   []int32
}

// trained is a head with the standardisation that goes before it.
type trained struct {
	standard standard
	stack    arch.Stack
	weights  arch.Weights
	fit      Fit
}

// Fit says how a head's training went.
type Fit struct {
	Rows      int     `json:"rows"`       // trained on
	HeldRows  int     `json:"held_rows"`  // watched by early stopping
	Epochs    int     `json:"epochs"`     // done
	BestEpoch int     `json:"best_epoch"` // whose weights were kept, from 1
	HeldLoss  float64 `json:"held_loss"`  // of those weights, nats
	// Iterations are the L-BFGS steps that took a linear head, on all rows, to the
	// optimum of its penalised loss; 0 for other heads.
	Iterations int `json:"iterations,omitempty"`
}

// trainer trains heads of one kind.
type trainer struct {
	engine  engine.Engine
	head    Head
	classes int
	seed    uint64
	// progress hears of the rows trained on since the last call, of total.
	progress func(rows, total int)
}

// fit standardises, trains on nine tenths of the rows with early stopping, and
// keeps the weights of the epoch with the least loss on the last tenth. A linear
// head is then taken to its optimum on all rows.
func (t trainer) fit(ctx context.Context, x examples) (*trained, error) {
	perChannel := 0
	if t.head == ConvNet {
		perChannel = x.shape.H * x.shape.W
	}
	out := &trained{standard: standardOf(x.features, x.shape.Values(), perChannel), stack: t.head.stack(x.shape, t.classes)}
	x.features = out.standard.apply(x.features)
	if err := t.descend(ctx, x, out); err != nil {
		return nil, fmt.Errorf("training the %s head: %w", t.head, err)
	}
	if t.head == Linear {
		n, err := solveLogistic(ctx, x, out.weights["head.0.weight"], out.weights["head.0.bias"])
		if err != nil {
			return nil, fmt.Errorf("solving the linear head: %w", err)
		}
		out.fit.Iterations = n
	}
	return out, nil
}

// descend is the training on the engine.
func (t trainer) descend(ctx context.Context, x examples, out *trained) (err error) {
	rows, held := holdOut(x.labels, t.classes, heldShare, t.seed)
	out.fit = Fit{Rows: len(rows), HeldRows: len(held)}
	if len(held) == 0 { // one row a class: nothing to watch but the rows themselves
		held = rows
	}
	r, total := recipes[t.head], 0
	o := train.Options{
		Epochs: r.epochs, Patience: r.patience, Batch: batchFor(len(rows)), Seed: t.seed,
		Loss: graph.CrossEntropy, Train: rows, Validation: held,
	}
	o.Batch = train.Batch(o.Batch, len(rows))
	total = len(rows) / o.Batch * o.Batch * r.epochs
	o.Progress = func(n int) { t.progress(n, total) }
	net, err := graph.Classifier(x.shape, out.stack, t.classes, o.Batch, t.seed)
	if err != nil {
		return err
	}
	data, err := t.engine.Load(engine.Source{Shape: x.shape, Features: x.features, Labels: x.labels})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	recipe := arch.Recipe{Optimizer: arch.Adam, LearningRate: r.rate, Schedule: arch.OneCycle}
	outcome, err := train.Net(ctx, t.engine, data, net, recipe, o)
	if err != nil {
		return err
	}
	if outcome.Weights == nil {
		return errors.New(outcome.Failure)
	}
	out.weights = outcome.Weights
	out.fit.Epochs, out.fit.BestEpoch, out.fit.HeldLoss = outcome.Epochs, outcome.BestEpoch, outcome.Metrics.Loss
	return nil
}

// batchFor keeps at least some 60 steps an epoch where there are rows for it.
func batchFor(rows int) int {
	batch := 16
	for batch < 256 && rows/(2*batch) >= 60 {
		batch *= 2
	}
	return batch
}

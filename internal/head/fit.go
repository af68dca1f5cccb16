package head

import (
	"context"
	"errors"
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/train"
)

// heldShare is the part of the training rows, of every class, that early
// stopping watches.
const heldShare = 0.1

// Examples are labelled features: rows of Shape.Values() float32, CHW order.
type Examples struct {
	Shape    arch.Shape
	Features []float32
	Labels   []int32
}

// Trained is a head with the standardisation that goes before it.
type Trained struct {
	Fit      Fit
	standard Standard
	stack    arch.Stack
	weights  arch.Weights
}

// Model is the head with its standardisation, for features of the shape in, as ONNX.
func (h *Trained) Model(in arch.Shape, metadata map[string]string) (*onnx.Model, error) {
	return onnxnet.Head{
		In: in, Stack: h.stack, Weights: h.weights,
		Mean: h.standard.Mean, Scale: h.standard.Scale, Metadata: metadata,
	}.Model()
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

// Trainer trains heads of one kind.
type Trainer struct {
	Engine  engine.Engine
	Kind    Kind
	Classes int
	Seed    uint64
	// Progress hears of the rows trained on since the last call, of total.
	Progress func(rows, total int)
}

// Fit standardises, trains on nine tenths of the rows with early stopping, and
// keeps the weights of the epoch with the least loss on the last tenth. A linear
// head is then taken to its optimum on all rows.
func (t Trainer) Fit(ctx context.Context, x Examples) (*Trained, error) {
	perChannel := 0
	if t.Kind == ConvNet {
		perChannel = x.Shape.H * x.Shape.W
	}
	out := &Trained{standard: StandardOf(x.Features, x.Shape.Values(), perChannel), stack: t.Kind.stack(x.Shape, t.Classes)}
	x.Features = out.standard.apply(x.Features)
	if err := t.descend(ctx, x, out); err != nil {
		return nil, fmt.Errorf("training the %s head: %w", t.Kind, err)
	}
	if t.Kind == Linear {
		n, err := solveLogistic(ctx, x, out.weights["head.0.weight"], out.weights["head.0.bias"])
		if err != nil {
			return nil, fmt.Errorf("solving the linear head: %w", err)
		}
		out.Fit.Iterations = n
	}
	return out, nil
}

// descend is the training on the engine.
func (t Trainer) descend(ctx context.Context, x Examples, out *Trained) (err error) {
	rows, held := holdOut(x.Labels, t.Classes, heldShare, t.Seed)
	out.Fit = Fit{Rows: len(rows), HeldRows: len(held)}
	if len(held) == 0 { // one row a class: nothing to watch but the rows themselves
		held = rows
	}
	r, total := recipes[t.Kind], 0
	o := train.Options{
		Epochs: r.epochs, Patience: r.patience, Batch: batchFor(len(rows)), Seed: t.Seed,
		Loss: graph.CrossEntropy, Train: rows, Validation: held,
	}
	o.Batch = train.Batch(o.Batch, len(rows))
	total = len(rows) / o.Batch * o.Batch * r.epochs
	o.Progress = func(n int) { t.Progress(n, total) }
	net, err := graph.Classifier(x.Shape, out.stack, t.Classes, o.Batch, t.Seed)
	if err != nil {
		return err
	}
	data, err := t.Engine.Load(engine.Source{Shape: x.Shape, Features: x.Features, Labels: x.Labels})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	recipe := arch.Recipe{Optimizer: arch.Adam, LearningRate: r.rate, Schedule: arch.OneCycle}
	outcome, err := train.Net(ctx, t.Engine, data, net, recipe, o)
	if err != nil {
		return err
	}
	if outcome.Weights == nil {
		return errors.New(outcome.Failure)
	}
	out.weights = outcome.Weights
	out.Fit.Epochs, out.Fit.BestEpoch, out.Fit.HeldLoss = outcome.Epochs, outcome.BestEpoch, outcome.Metrics.Loss
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

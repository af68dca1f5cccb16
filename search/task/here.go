package task

import (
	"context"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/run"
	"moncae/internal/train"
)

// Fit is train.Autoencoder, or what a test puts in its place.
type Fit func(context.Context, engine.Engine, engine.Data, arch.Arch, arch.Recipe, train.Options) (train.Outcome, error)

// Here trains in this process.
type Here struct {
	engine engine.Engine
	fit    Fit
	set    *dataset.Set
	data   engine.Data
}

// NewHere trains on eng by fit.
func NewHere(eng engine.Engine, fit Fit) *Here { return &Here{engine: eng, fit: fit} }

// Info describes the engine.
func (h *Here) Info() engine.Info { return h.engine.Info() }

// Convolutions tells what the engine chose.
func (h *Here) Convolutions() engine.Convolutions { return engine.ConvolutionsOf(h.engine) }

// Load brings the images to the device.
func (h *Here) Load(set *dataset.Set) (unload func() error, err error) {
	h.set = set
	if h.data, err = h.engine.Load(engine.Source{Shape: set.Shape, Images: set.Images}); err != nil {
		return nil, err
	}
	return h.data.Close, nil
}

// Train trains the network, and measures its best weights.
func (h *Here) Train(ctx context.Context, t Training, w Watch) (out Trained, err error) {
	o := train.Options{
		Epochs: t.Epochs, Patience: t.Patience, Batch: t.Batch, Seed: t.Seed, Loss: t.Loss, Denoise: t.Denoise, Precision: t.Class.Precision,
		Train: t.Train.Numbers, Validation: t.Validation.Numbers,
		Rungs: t.Rungs, Keeping: w.Keeping, Progress: w.Progress, Epoch: w.Epoch, Halt: w.Halt,
	}
	if t.Start != nil {
		o.Weights, o.KeepStart = t.Start.Weights, t.Start.Keep
	}
	o.Inspect = func(p engine.Program) (err error) {
		if out.SSIM, err = run.SSIM(p, h.set, t.Validation.Numbers); err == nil && t.Probe != nil {
			out.Probe, err = t.Probe.measure(p, h.set, t.Arch.Latent().Values())
		}
		return err
	}
	if t.Probe != nil && t.Probe.Within != nil {
		o.Score = func(loss float64, p engine.Program) (float64, error) {
			wrong, err := t.Probe.measure(p, h.set, t.Arch.Latent().Values())
			return t.Probe.Within.score(loss, wrong), err
		}
	}
	out.Outcome, err = h.fit(ctx, h.engine, h.data, t.Arch, t.Recipe, o)
	return out, err
}

// Measure measures a network on all images.
func (h *Here) Measure(_ context.Context, m run.Measurement) (run.Figures, error) {
	return m.Of(h.engine, h.data, h.set, nil)
}

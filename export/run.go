package export

import (
	"context"
	"errors"

	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/run"
)

// Export builds, certifies and writes candidates of a run one after another. set
// are the run's training images, and the engine is the trainer that the models are
// held against, on validation images. A candidate's folder appears whole or not at
// all and replaces one of an earlier export. The first candidate that fails ends
// it; those before it stay.
func Export(ctx context.Context, r *run.Run, ids []string, set *dataset.Set, eng engine.Engine, o Options) (results []Result, err error) {
	loaded, err := r.Load(eng, set)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, loaded.Close()) }()
	rows := r.Validation(set)
	rows = rows[:min(len(rows), maxSampleImages)]
	var candidates []candidate
	for _, id := range ids {
		t, err := r.Trained(id)
		if err != nil {
			return nil, err
		}
		c := describe(r, t)
		c.sample = func() (run.Forward, error) { return loaded.Forward(id, rows) }
		candidates = append(candidates, c)
	}
	return exportAll(ctx, candidates, o)
}

// describe is what an export says of a run's candidate.
func describe(r *run.Run, t run.Trained) candidate {
	best, m := t.Best(), r.Manifest
	c := candidate{
		Trained: t, Run: m.Run, DataName: m.Data.Name, Fingerprint: m.Data.Fingerprint, Preprocess: m.Preprocess, Loss: string(r.Config.Loss), Denoise: r.Config.Denoise,
		Metrics: map[string]float64{
			"bce": best.Figures.BCE, "mse": best.Figures.MSE, "psnr": best.Figures.PSNR, "ssim": best.Figures.SSIM,
			"values": float64(t.Latent.Values()), "params": float64(t.Params), "flops": float64(t.FLOPs), "epochs": float64(best.Epochs),
		},
		Objectives: map[string]float64{}, Baselines: map[string]map[string]float64{},
	}
	for _, name := range m.Objectives {
		c.Objectives[name] = best.Values[name]
	}
	if r.Front != nil {
		c.beside(*r.Front)
	}
	return c
}

// beside adds what the candidate is held against.
func (c *candidate) beside(f run.Front) {
	c.Metrics["excess_bce"] = c.Best().Figures.BCE - f.Floor.BCE
	c.Baselines["mean_image"] = map[string]float64{"bce": f.MeanImage.BCE, "mse": f.MeanImage.MSE}
	c.Members = len(f.Members)
	for i, m := range f.Members {
		if m.ID != c.ID {
			continue
		}
		c.Place = i + 1
		if p := m.PCA; p != nil {
			c.Baselines["pca"] = map[string]float64{"bce": p.BCE, "mse": p.MSE, "psnr": p.PSNR}
		}
	}
}

package search

import (
	"context"
	"errors"

	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/metric"
)

// leastMSE is the error from which on PSNR no longer grows (120 dB): a figure in
// JSON is finite.
const leastMSE = 1e-12

func figures(m engine.Metrics, ssim float64) Figures {
	return Figures{BCE: m.BCE, MSE: m.MSE, PSNR: metric.PSNR(max(m.MSE, leastMSE)), SSIM: ssim}
}

// measureBlock is how many images are reconstructed at a time.
const measureBlock = 256

// ssim is the mean structural similarity of rows' reconstructions.
func ssim(p engine.Program, set *dataset.Set, rows []int32) (float64, error) {
	n := set.Shape.Values()
	output, image := make([]float32, min(measureBlock, len(rows))*n), make([]float32, n)
	sum := 0.0
	for at := 0; at < len(rows); at += measureBlock {
		some := rows[at:min(at+measureBlock, len(rows))]
		if err := p.Infer(some, nil, output[:len(some)*n]); err != nil {
			return 0, err
		}
		for i, r := range some {
			for k, v := range set.Image(int(r)) {
				image[k] = float32(v) / 255
			}
			sum += metric.SSIM(image, output[i*n:(i+1)*n], set.Shape)
		}
	}
	return sum / float64(len(rows)), nil
}

// Measure runs candidates with their best weights on all images of another set,
// such as a test split, and gives their figures by id. Looking at test data is the
// caller's to note (rundir.NoteTest).
func (r *Run) Measure(ctx context.Context, eng engine.Engine, set *dataset.Set, ids []string) (_ map[string]Figures, err error) {
	if set.Shape != r.Manifest.Data.Shape {
		return nil, fault.Usagef("%s: images of %v, the run's are %v: give it the same preprocessing", set.Name, set.Shape, r.Manifest.Data.Shape)
	}
	data, err := eng.Load(engine.Source{Shape: set.Shape, Images: set.Images})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	rows := make([]int32, set.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	all := map[string]Figures{}
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if all[id], err = r.measure(eng, data, set, rows, id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (r *Run) measure(eng engine.Engine, data engine.Data, set *dataset.Set, rows []int32, id string) (f Figures, err error) {
	n, w, err := r.Network(id)
	if err != nil {
		return f, err
	}
	net, err := graph.Autoencoder(n.Arch, min(r.Config.Batch, len(rows)), r.Config.Loss, 0)
	if err != nil {
		return f, err
	}
	p, err := eng.Compile(net, data, engine.Config{Optimizer: n.Recipe.Optimizer, Weights: w})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	m, err := p.Evaluate(rows)
	if err != nil {
		return f, err
	}
	similarity, err := ssim(p, set, rows)
	return figures(m, similarity), err
}

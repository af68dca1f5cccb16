package cli

import (
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/search"
)

// forward is what the trainer's own float32 pass makes of some images, NCHW.
type forward struct{ images, latents, outputs []float32 }

// compile brings a candidate with its best weights to an engine.
func compile(eng engine.Engine, data engine.Data, run *search.Run, id string, batch int) (engine.Program, *graph.Net, error) {
	network, weights, err := run.Network(id)
	if err != nil {
		return nil, nil, err
	}
	net, err := graph.Autoencoder(network.Arch, batch, run.Config.Loss, 0)
	if err != nil {
		return nil, nil, err
	}
	program, err := eng.Compile(net, data, engine.Config{Optimizer: network.Recipe.Optimizer, Weights: weights})
	return program, net, err
}

// evaluate measures a candidate on all images of set.
func evaluate(eng engine.Engine, set *dataset.Set, run *search.Run, id string) (m engine.Metrics, err error) {
	data, err := eng.Load(engine.Source{Shape: set.Shape, Images: set.Images})
	if err != nil {
		return m, err
	}
	defer func() { err = firstError(err, data.Close()) }()
	program, _, err := compile(eng, data, run, id, 64)
	if err != nil {
		return m, err
	}
	defer func() { err = firstError(err, program.Close()) }()
	rows := make([]int32, set.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	return program.Evaluate(rows)
}

// reconstruct runs rows of set through a candidate.
func reconstruct(eng engine.Engine, data engine.Data, set *dataset.Set, run *search.Run, id string, rows []int32) (out forward, err error) {
	program, net, err := compile(eng, data, run, id, 32)
	if err != nil {
		return out, err
	}
	n := len(rows)
	out.latents = make([]float32, n*net.Latent.Values())
	out.outputs = make([]float32, n*set.Shape.Values())
	if err := program.Infer(rows, out.latents, out.outputs); err != nil {
		return out, firstError(err, program.Close())
	}
	out.images = make([]float32, 0, n*set.Shape.Values())
	for _, r := range rows {
		for _, v := range set.Image(int(r)) {
			out.images = append(out.images, float32(v)/255)
		}
	}
	return out, program.Close()
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

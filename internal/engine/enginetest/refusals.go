package enginetest

import (
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// testRefusals: bad arguments are errors, and a program goes on after them as
// though they had not been.
func (s *suite) testRefusals(t *testing.T) {
	tr := autoencoder(t, normed(), 2, graph.BCE, 97)
	p := tr.compile(t, s.engine, arch.Adam)
	n := int32(tr.source.Rows())
	z, y := tr.net.Latent.Values(), tr.net.Output.Values()
	two := make([]float32, 2)
	lacking, short := tr.weights.Clone(), tr.weights.Clone()
	delete(lacking, tr.net.Params[0].Name)
	short[tr.net.Params[0].Name] = short[tr.net.Params[0].Name][1:]
	extra := tr.weights.Clone()
	extra["other"] = nil
	evaluate := func(rows ...int32) error { _, err := p.Evaluate(rows); return err }
	for name, err := range map[string]error{
		"train: a row too large":  p.Train([]int32{0, n}, two[:1], two[1:]),
		"train: a negative row":   p.Train([]int32{-1, 0}, two[:1], two[1:]),
		"train: too few rows":     p.Train([]int32{0}, two[:1], two[1:]),
		"train: too few losses":   p.Train([]int32{0, 1}, two[:1], nil),
		"evaluate: a bad row":     evaluate(0, n),
		"evaluate: a negative":    evaluate(-1),
		"evaluate: no rows":       evaluate(),
		"infer: a bad row":        p.Infer([]int32{n}, make([]float32, z), make([]float32, y)),
		"infer: a negative row":   p.Infer([]int32{-1}, make([]float32, z), make([]float32, y)),
		"infer: a short latent":   p.Infer([]int32{0}, make([]float32, z-1), nil),
		"infer: a short output":   p.Infer([]int32{0}, nil, make([]float32, y-1)),
		"weights: one is missing": p.SetWeights(lacking),
		"weights: one is short":   p.SetWeights(short),
		"weights: one too many":   p.SetWeights(extra),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	must(t, p.Train(nil, nil, nil))
	must(t, p.Infer(nil, nil, nil))
	if w, err := p.Weights(); err != nil || differ(w, tr.weights) != "" {
		t.Errorf("after what was refused the weights are others (%v)", err)
	}
	s.refuseCompile(t, tr, lacking)
	s.refuseLoad(t)
}

func (s *suite) refuseCompile(t *testing.T, tr trial, lacking arch.Weights) {
	refuse := func(name string, tr trial, cfg engine.Config) {
		t.Helper()
		data, err := s.engine.Load(tr.source)
		must(t, err)
		defer func() { must(t, data.Close()) }()
		if p, err := s.engine.Compile(tr.net, data, cfg); err == nil {
			must(t, p.Close())
			t.Errorf("compile: %s: no error", name)
		}
	}
	refuse("lacking weights", tr, engine.Config{Optimizer: arch.Adam, Weights: lacking})
	refuse("an unknown optimiser", tr, engine.Config{Optimizer: "newton", Weights: tr.weights})
	refuse("an unknown precision", tr, engine.Config{Optimizer: arch.Adam, Precision: "f8", Weights: tr.weights})
	other := tr
	other.source = engine.Source{Shape: arch.Shape{C: 1, H: 2, W: 2}, Images: make([]uint8, 8)}
	refuse("data of another shape", other, engine.Config{Optimizer: arch.Adam, Weights: tr.weights})

	head := classifier(t, arch.Shape{C: 2, H: 2, W: 2}, arch.Stack{{Kind: arch.Dense, Filters: 3}}, 3, 2, 98)
	cfg := engine.Config{Optimizer: arch.Adam, Weights: head.weights}
	bad := head
	bad.source.Labels = nil
	refuse("no labels", bad, cfg)
	for _, label := range []int32{-1, 3} {
		bad.source.Labels = append([]int32(nil), head.source.Labels...)
		bad.source.Labels[1] = label
		refuse("a label that is no class", bad, cfg)
	}
}

func (s *suite) refuseLoad(t *testing.T) {
	shape := arch.Shape{C: 1, H: 2, W: 2}
	for name, source := range map[string]engine.Source{
		"nothing":               {Shape: shape},
		"half an image":         {Shape: shape, Images: make([]uint8, 6)},
		"a shape of nothing":    {Images: make([]uint8, 4)},
		"images and features":   {Shape: shape, Images: make([]uint8, 4), Features: make([]float32, 4)},
		"labels for other rows": {Shape: shape, Images: make([]uint8, 8), Labels: []int32{1}},
	} {
		if data, err := s.engine.Load(source); err == nil {
			must(t, data.Close())
			t.Errorf("load: %s: no error", name)
		}
	}
}

package search

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
	"moncae/internal/metric"
	"moncae/internal/run"
	"moncae/search/genome"
)

// The whole way on a real engine: what the front says of a member is what its
// stored weights do, and finetuning has made none worse.
func TestFrontIsWhatTheWeightsDo(t *testing.T) {
	c := config(t)
	c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 2, MaxFilters: 4}
	c.Population, c.Generations, c.Epochs, c.Finetune.Epochs = 3, 2, 2, 3
	path := filepath.Join(t.TempDir(), "run")
	eng := ref.New()
	set := images(80)
	s, err := Create(path, c, set, Options{Engine: eng, Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := open(t, path)
	if len(r.Front.Members) == 0 {
		t.Fatal("no candidate beats the mean image")
	}
	for _, m := range r.Front.Members {
		f := measure(t, eng, r, m.ID, s)
		if again := measured(t, eng, r, m.ID, set, r.Validation(set)); again != (run.Figures{BCE: m.BCE, MSE: m.MSE, PSNR: m.PSNR, SSIM: m.SSIM}) {
			t.Errorf("%s: the front says %+v, measured again %+v", m.ID, m, again)
		}
		if f.BCE != m.BCE || f.MSE != m.MSE || math.Abs(f.SSIM-m.SSIM) > 1e-9 {
			t.Errorf("%s: the front says %+v, its weights do %+v", m.ID, m, f)
		}
		cand, err := r.Candidate(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		if m.BCE > cand.Search.Figures.BCE || m.BCE < r.Front.Floor.BCE {
			t.Errorf("%s: BCE %v, %v before finetuning, floor %v", m.ID, m.BCE, cand.Search.Figures.BCE, r.Front.Floor.BCE)
		}
	}
}

// measured are the figures of the run's own measurement, made again.
func measured(t *testing.T, eng engine.Engine, r *Run, id string, set *dataset.Set, rows []int32) run.Figures {
	t.Helper()
	l, err := r.Load(eng, set)
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.Measure(id, rows)
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	return f
}

// measure runs a candidate's stored weights on the validation images.
func measure(t *testing.T, eng engine.Engine, r *Run, id string, s *Study) (f run.Figures) {
	t.Helper()
	n, err := r.Trained(id)
	if err != nil {
		t.Fatal(err)
	}
	net, err := graph.Autoencoder(n.Arch, 8, graph.BCE, 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := eng.Load(engine.Source{Shape: s.set.Shape, Images: s.set.Images})
	if err != nil {
		t.Fatal(err)
	}
	p, err := eng.Compile(net, data, engine.Config{Optimizer: n.Recipe.Optimizer, Weights: n.Weights})
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Evaluate(s.validation)
	if err != nil {
		t.Fatal(err)
	}
	size := s.set.Shape.Values()
	out, image := make([]float32, size*len(s.validation)), make([]float32, size)
	if err := errors.Join(p.Infer(s.validation, nil, out), p.Close(), data.Close()); err != nil {
		t.Fatal(err)
	}
	for i, row := range s.validation {
		for k, v := range s.set.Image(int(row)) {
			image[k] = float32(v) / 255
		}
		f.SSIM += metric.SSIM(image, out[i*size:(i+1)*size], s.set.Shape) / float64(len(s.validation))
	}
	f.BCE, f.MSE = m.BCE, m.MSE
	return f
}

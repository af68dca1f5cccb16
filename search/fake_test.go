package search

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/task"
)

// fakeEngine computes nothing: fakeFit stands for the training.
type fakeEngine struct{}

func (fakeEngine) Info() engine.Info {
	return engine.Info{Name: "fake", Workers: 2, Precisions: []engine.Precision{engine.Float32}}
}
func (fakeEngine) Load(d engine.Source) (engine.Data, error) {
	return fakeData{d}, nil
}
func (fakeEngine) Compile(*graph.Net, engine.Data, engine.Config) (engine.Program, error) {
	panic("the fake engine compiles nothing")
}
func (fakeEngine) Close() error { return nil }

type fakeData struct{ s engine.Source }

func (d fakeData) Source() engine.Source { return d.s }
func (fakeData) Close() error            { return nil }

// fakeFit is a training whose result follows from the network's size and the
// seed: larger latents are better, one network in seven diverges, finetuning
// helps two times in three, and what is inherited decides a part. It takes a while that
// depends on nothing.
func fakeFit(ctx context.Context, _ engine.Engine, _ engine.Data, a arch.Arch, _ arch.Recipe, o train.Options) (train.Outcome, error) {
	time.Sleep(time.Duration(rand.N(300)) * time.Microsecond)
	if err := ctx.Err(); err != nil {
		return train.Outcome{}, err
	}
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	loss := 0.1 + 0.4/float64(1+a.Latent().Values()) + 0.1*rng.Float64()
	o.Progress(len(o.Train))
	out := train.Outcome{Epochs: o.Epochs, Steps: o.Epochs * len(o.Train) / o.Batch, BestEpoch: o.Epochs, Weights: arch.InitialWeights(a.Params(), o.Seed)}
	if o.Weights != nil && !o.KeepStart {
		out.Weights = o.Weights.Clone()
		for _, p := range a.Params() {
			for i, v := range out.Weights[p.Name] {
				loss *= 1 + 1e-4*math.Sin(float64(v))
				out.Weights[p.Name][i] += 0.1
			}
		}
	}
	switch luck := rng.IntN(7); {
	case o.KeepStart && luck < 2:
		out.BestEpoch, out.Weights = 0, o.Weights
	case o.KeepStart:
		loss *= 0.8
	case luck == 0:
		return train.Outcome{Failure: "diverged: by design", Steps: 1}, nil
	}
	for _, r := range o.Rungs {
		out.Steps = r.Step
		at := loss * (1.2 + 0.2*rng.Float64())
		out.Rungs = append(out.Rungs, at)
		if out.Stopped = r.Most > 0 && at > r.Most; out.Stopped {
			loss = at
			break
		}
	}
	out.Metrics = engine.Metrics{Loss: loss, BCE: loss, MSE: loss / 5}
	out.History = []train.Epoch{{Train: loss, Validation: loss}}
	return out, nil
}

// images are n of 1×8×8: blobs at places that their number gives.
func images(n int) *dataset.Set {
	s := &dataset.Set{Name: "blobs", Shape: arch.Shape{C: 1, H: 8, W: 8}, Images: make([]uint8, 64*n)}
	rng := rand.New(rand.NewPCG(11, 12))
	for i := range n {
		x, y, size := rng.IntN(6), rng.IntN(6), 1+rng.IntN(2)
		img := s.Image(i)
		for dy := range size + 1 {
			for dx := range size + 1 {
				img[(y+dy)%8*8+(x+dx)%8] = uint8(128 + rng.IntN(128))
			}
		}
	}
	return s
}

func config(t *testing.T) Config {
	t.Helper()
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.SetAlgorithm(algorithm.Moncae) // a decision of ehvi takes longer than the fake training
	c.Population, c.Generations, c.Epochs, c.Batch, c.Finetune.Epochs, c.Finetune.Trial = 6, 4, 2, 8, 3, 0
	return c
}

// create begins a run with the fake training.
func create(t *testing.T, path string, c Config, o Options) *Study {
	t.Helper()
	if o.Engine == nil {
		o.Engine = fakeEngine{}
	}
	s, err := Create(path, c, images(60), o)
	if err != nil {
		t.Fatal(err)
	}
	s.options.Trainer = task.NewHere(o.Engine, fakeFit)
	return s
}

// resumed continues a run with the fake training.
func resumed(t *testing.T, path string, o Options) *Study {
	t.Helper()
	o.Engine = fakeEngine{}
	s, err := Resume(path, images(60), o)
	if err != nil {
		t.Fatal(err)
	}
	s.options.Trainer = task.NewHere(fakeEngine{}, fakeFit)
	return s
}

// complete runs a study to its end and gives front.json.
func complete(t *testing.T, s *Study) string {
	t.Helper()
	if _, err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := rundir.Verify(s.dir.Path); err != nil {
		t.Fatal(err)
	}
	return frontFile(t, s.dir.Path)
}

func frontFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path, "front.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func open(t *testing.T, path string) *Run {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

package train

import (
	"context"
	"math"
	"reflect"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

// A training that is halted ends with the best weights that it has, measured; one that
// began with weights keeps those where it has none better.
func TestHaltedTrainingsEndWithWhatTheyHave(t *testing.T) {
	const rows = 150 // 75 steps of 2: two calls an epoch
	images := make([]uint8, 16*(rows+5))
	for i := range images {
		images[i] = uint8(i * i % 251)
	}
	eng := ref.New()
	data, err := eng.Load(engine.Source{Shape: normed().Input, Images: images})
	if err != nil {
		t.Fatal(err)
	}
	train := func(asked int, o Options) Outcome {
		o.Epochs, o.Batch, o.Seed, o.Loss, o.Train, o.Validation = 3, 2, 7, graph.BCE, count(0, rows), count(rows, 5)
		n := 0
		o.Halt = func() bool { n++; return n > asked }
		recipe := arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.OneCycle}
		out, err := Autoencoder(context.Background(), eng, data, normed(), recipe, o)
		if err != nil || out.Failure != "" || out.Stopped {
			t.Fatalf("%+v, %v", out, err)
		}
		return out
	}
	whole := train(math.MaxInt, Options{})
	last := 0
	for asked := 0; ; asked++ {
		out := train(asked, Options{})
		if out.Steps < last || out.Weights == nil || out.BestEpoch < 1 || out.BestEpoch > out.Epochs || len(out.History) != out.Epochs || out.Metrics.BCE == 0 {
			t.Errorf("halted after %d looks: %+v", asked, out)
		}
		last = out.Steps
		if out.Steps == whole.Steps {
			if asked < 4 || !reflect.DeepEqual(out.Weights, whole.Weights) {
				t.Errorf("a training that was asked %d times made all steps, with other weights", asked)
			}
			break
		}
	}
	start := whole.Weights
	kept := train(0, Options{Weights: start, KeepStart: true})
	if best := kept.Metrics.Loss; best > whole.Metrics.Loss || kept.BestEpoch == 0 && !reflect.DeepEqual(kept.Weights, start) {
		t.Errorf("a halted finetuning has %v, it began with %v", best, whole.Metrics.Loss)
	}
}

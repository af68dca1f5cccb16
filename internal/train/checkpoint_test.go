package train

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

// normed is a network with running averages and dropout.
func normed() arch.Arch {
	c := arch.Layer{Kind: arch.Conv, Filters: 2, Kernel: 3, Stride: 1}
	last := c
	last.Filters = 1
	return arch.Arch{
		Input:   arch.Shape{C: 1, H: 4, W: 4},
		Encoder: arch.Stack{c, {Kind: arch.BatchNorm}, {Kind: arch.Dropout, Rate: 0.2}, c},
		Decoder: arch.Stack{last},
	}
}

// A training that is interrupted anywhere, and goes on from its checkpoint on another
// engine of the class, ends in the same bits.
func TestInterruptedTrainingsEndInTheSameBits(t *testing.T) {
	const rows = 150 // 65 steps of 2: two calls an epoch
	images := make([]uint8, 16*(rows+5))
	for i := range images {
		images[i] = uint8(i * i % 251)
	}
	recipe := arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.OneCycle}
	train := func(ctx context.Context, o Options) (Outcome, error) {
		eng := ref.New()
		data, err := eng.Load(engine.Source{Shape: normed().Input, Images: images})
		if err != nil {
			t.Fatal(err)
		}
		out, err := Autoencoder(ctx, eng, data, normed(), recipe, o)
		out.Phases = Phases{}
		return out, err
	}
	for _, keepStart := range []bool{false, true} {
		o := Options{Epochs: 3, Batch: 2, Seed: 7, Loss: graph.BCE, Train: count(0, rows), Validation: count(rows, 5), KeepStart: keepStart, Patience: 2, Rungs: []Rung{{Step: 40}, {Step: 100, Most: 9}}}
		if keepStart {
			o.Denoise = 0.3
			o.Weights = arch.InitialWeights(normed().Params(), 8)
		}
		want, err := train(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		interruptions := 0
		for calls := 1; ; calls++ {
			var kept *Checkpoint
			ctx, cancel := context.WithCancel(context.Background())
			stopped, n := o, 0
			stopped.Progress = func(int) {
				if n++; n == calls {
					cancel()
				}
			}
			stopped.Keeping = Keeping{Every: time.Hour, Save: func(c Checkpoint) error { kept = &c; return nil }}
			_, err := train(ctx, stopped)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) || kept == nil {
				t.Fatalf("interrupted after %d calls: %v, checkpoint %v", calls, err, kept)
			}
			interruptions++
			on := o
			on.Keeping = Keeping{From: kept}
			got, err := train(context.Background(), on)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("interrupted after %d calls (epoch %d, step %d): %+v, %v; want %+v", calls, kept.Epoch, kept.Step, got, err, want)
			}
		}
		if interruptions < 4 {
			t.Errorf("%d interruptions", interruptions)
		}
	}
}

// Checkpoints are kept as often as asked for, and take no more than their share.
func TestCheckpointsTakeTheirShare(t *testing.T) {
	s := &script{validation: []float64{0.4, 0.3, 0.2, 0.1}}
	o := options()
	o.Train, o.Validation = count(0, 1000), count(1000, 3)
	saved := 0
	o.Keeping = Keeping{Every: time.Hour, Save: func(Checkpoint) error { saved++; return nil }}
	if _, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o); err != nil || saved > 0 {
		t.Errorf("a short training kept %d checkpoints, %v", saved, err)
	}
	k := newKeeper(Keeping{Every: time.Nanosecond})
	tr := &training{p: s, keeper: k}
	k.Save = func(Checkpoint) error { time.Sleep(2 * time.Millisecond); return nil }
	if err := tr.keep(1, 2, 3); err != nil || k.wait < share*2*time.Millisecond || k.due() {
		t.Errorf("after a checkpoint of 2 ms the next waits for %v, %v", k.wait, err)
	}
	full := errors.New("no space left on device")
	k.Save = func(Checkpoint) error { return full }
	if err := tr.keep(1, 2, 3); !errors.Is(err, full) {
		t.Errorf("a checkpoint that can't be kept: %v", err)
	}
}

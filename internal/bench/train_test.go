package bench

import (
	"math"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
)

func options() Options {
	conv := arch.Stack{{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}}
	return Options{
		Arch:  arch.Arch{Input: arch.Shape{C: 1, H: 3, W: 2}, Encoder: conv, Decoder: conv},
		Batch: 3, Duration: time.Microsecond, Workers: []int{1, 2},
	}
}

func TestEveryNumberOfCandidatesIsMeasured(t *testing.T) {
	r, err := Train(ref.New(), options())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rates) != 2 || r.Rates[0].Candidates != 1 || r.Rates[1].Candidates != 2 {
		t.Fatalf("rates are %+v, want those of 1 and of 2 candidates", r.Rates)
	}
	for _, rate := range r.Rates {
		if rate.Steps < rate.Candidates || !(rate.ImagesPerSecond > 0) {
			t.Errorf("%+v: each candidate makes a step at least", rate)
		}
	}
	if r.Params != 20 || r.FLOPs != 2*9*6 || r.Optimizer != arch.Adam || r.Precision != engine.Float32 {
		t.Errorf("%+v: want 20 parameters, 108 multiply-adds, adam and f32", r)
	}
}

func TestAnEnginesRefusalIsTold(t *testing.T) {
	o := options()
	o.Precision = "f8"
	if _, err := Train(ref.New(), o); err == nil || fault.Of(err) != fault.Usage {
		t.Errorf("precision f8: %v, want an error of usage", err)
	}
}

// timed is a program whose steps are known to take what they take.
type timed struct {
	engine.Program
	times []engine.StepTime
}

func (timed) Profile()                              {}
func (p timed) Times() []engine.StepTime            { return p.times }
func (timed) GemmPeak() float64                     { return 10 }
func (timed) Train(_ []int32, _, _ []float32) error { return nil }

func TestProfileIsPerStepAndOfPeak(t *testing.T) {
	o := options()
	x := &run{program: timed{times: []engine.StepTime{{Step: "conv", Seconds: 3, MACs: 1e9}, {Step: "other", Seconds: 1}, {Step: "never"}}}}
	x.calls(1, o.Batch)
	var r Result
	if err := r.profile(x, x.program.(engine.Profiler), o); err != nil {
		t.Fatal(err)
	}
	steps := float64(x.steps + 1)
	if len(r.Profile) != 2 || r.Profile[0].Share != 0.75 || r.Profile[1].OfPeak != 0 {
		t.Fatalf("%+v: want conv with three quarters, and other", r.Profile)
	}
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("milliseconds", r.Profile[0].MS, 3000/steps)
	near("of peak", r.Profile[0].OfPeak, 2e9*steps/3/1e10)
}

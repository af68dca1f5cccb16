package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// script is an engine whose losses are written down: training it changes one
// weight, and validation follows the script, epoch by epoch.
type script struct {
	validation []float64 // by evaluation
	nanAt      int       // the step whose loss is NaN; 0: none
	compileErr error
	trainErr   error

	steps     int
	rows      []int32
	calls     []int // steps of each call
	evaluated int
	closed    int
	weights   arch.Weights
}

func (s *script) Info() engine.Info                         { return engine.Info{Name: "script"} }
func (s *script) Load(d engine.Source) (engine.Data, error) { return nil, nil }
func (s *script) Infer([]int32, []float32, []float32) error { return nil }
func (s *script) Weights() (arch.Weights, error)            { return s.weights.Clone(), nil }
func (s *script) SetWeights(w arch.Weights) error           { s.weights = w.Clone(); return nil }
func (s *script) State() (engine.State, error)              { return engine.State{}, nil }
func (s *script) SetState(engine.State) error               { return nil }
func (s *script) Close() error                              { s.closed++; return nil }
func (s *script) Evaluate(rows []int32) (engine.Metrics, error) {
	m := engine.Metrics{Loss: s.validation[s.evaluated]}
	s.evaluated++
	return m, nil
}

func (s *script) Compile(net *graph.Net, _ engine.Data, cfg engine.Config) (engine.Program, error) {
	if s.compileErr != nil {
		return nil, s.compileErr
	}
	return s, s.SetWeights(cfg.Weights)
}

func (s *script) Train(rows []int32, rates, losses []float32) error {
	s.calls = append(s.calls, len(rates))
	for i := range rates {
		losses[i] = 0.5
		if s.steps++; s.steps == s.nanAt {
			losses[i] = float32(math.NaN())
		}
	}
	s.rows = append(s.rows, rows...)
	s.weights["encoder.0.bias"][0]++ // counts the calls
	return s.trainErr
}

func conv() arch.Arch {
	c := arch.Layer{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}
	return arch.Arch{Input: arch.Shape{C: 1, H: 4, W: 4}, Encoder: arch.Stack{c}, Decoder: arch.Stack{c}}
}

func count(from, n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(from + i)
	}
	return rows
}

func options() Options {
	return Options{Epochs: 4, Batch: 2, Seed: 7, Loss: graph.BCE, Train: count(0, 9), Validation: count(9, 3)}
}

var recipe = arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.Constant}

func TestBestEpochIsKept(t *testing.T) {
	s := &script{validation: []float64{0.5, 0.3, 0.4, 0.35}}
	o := options()
	var inspected float32
	o.Inspect = func(engine.Program) error { inspected = s.weights["encoder.0.bias"][0]; return nil }
	out, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o)
	if err != nil {
		t.Fatal(err)
	}
	if inspected != 2 {
		t.Errorf("inspected the weights after %v calls", inspected)
	}
	if out.BestEpoch != 2 || out.Epochs != 4 || out.Metrics.Loss != 0.3 || out.Failure != "" {
		t.Errorf("outcome %+v", out)
	}
	if got := out.Weights["encoder.0.bias"][0]; got != 2 {
		t.Errorf("weights after %v calls, want those of epoch 2", got)
	}
	if want := []Epoch{{0.5, 0.5}, {0.5, 0.3}, {0.5, 0.4}, {0.5, 0.35}}; !slices.Equal(out.History, want) {
		t.Errorf("history %v, want %v", out.History, want)
	}
	if s.closed != 1 {
		t.Errorf("the program was closed %d times", s.closed)
	}
	for e := range 4 {
		rows := slices.Sorted(slices.Values(s.rows[8*e : 8*e+8]))
		if len(slices.Compact(rows)) != 8 || rows[7] > 8 {
			t.Errorf("epoch %d trained on %v", e+1, rows)
		}
	}
	if slices.Equal(s.rows[:8], s.rows[8:16]) {
		t.Error("two epochs have one order")
	}
}

func TestPatience(t *testing.T) {
	for patience, want := range map[int]int{0: 4, 1: 2, 2: 4} {
		s := &script{validation: []float64{0.5, 0.6, 0.4, 0.45}}
		o := options()
		o.Patience = patience
		out, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o)
		if err != nil || out.Epochs != want || out.Steps != 4*want {
			t.Errorf("patience %d: %d epochs, %d steps (%v), want %d of 4", patience, out.Epochs, out.Steps, err, want)
		}
	}
}

func TestChunksAndProgress(t *testing.T) {
	s := &script{validation: []float64{0.5}}
	o := options()
	o.Epochs, o.Train, o.Validation = 1, count(0, 2*150+1), count(400, 1)
	images := 0
	o.Progress = func(n int) { images += n }
	if _, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o); err != nil {
		t.Fatal(err)
	}
	if want := []int{64, 64, 22}; !slices.Equal(s.calls, want) || images != 300 {
		t.Errorf("calls of %v steps and %d images, want %v and 300", s.calls, images, want)
	}
}

func TestSmallDataMakesSmallBatches(t *testing.T) {
	s := &script{validation: []float64{0.5, 0.5, 0.5, 0.5}}
	o := options()
	o.Batch = 256
	out, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o)
	if err != nil || len(s.rows) != 4*9 || out.BestEpoch != 1 {
		t.Errorf("%d rows in 4 epochs, best %d (%v)", len(s.rows), out.BestEpoch, err)
	}
}

func TestFailuresAreOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		s     *script
		want  string
		steps int
	}{
		"NaN in training":   {&script{validation: []float64{0.5, 0.5}, nanAt: 6}, "step 6", 8},
		"NaN in validation": {&script{validation: []float64{0.5, math.NaN()}}, "after epoch 2", 8},
		"explosion":         {&script{validation: []float64{2e3}}, "2000", 4},
		"no memory":         {&script{compileErr: fmt.Errorf("8 GB: %w", engine.ErrMemory)}, "8 GB: out of memory", 0},
		"a fault in a step": {&script{trainErr: fmt.Errorf("adam: %w", engine.ErrFault)}, "adam: the device fails on this network", 0},
		"memory in a step":  {&script{trainErr: fmt.Errorf("scratch: %w", engine.ErrMemory)}, "scratch: out of memory", 0},
	} {
		out, err := Autoencoder(context.Background(), c.s, nil, conv(), recipe, options())
		if err != nil || !strings.Contains(out.Failure, c.want) || out.Weights != nil || out.Steps != c.steps {
			t.Errorf("%s: %+v, %v; %d steps were made", name, out, err, c.steps)
		}
	}
	odd := conv()
	odd.Decoder = nil
	odd.Encoder = append(odd.Encoder, arch.Layer{Kind: "fold"})
	if out, err := Autoencoder(context.Background(), &script{}, nil, odd, recipe, options()); err != nil || !strings.Contains(out.Failure, `"fold"`) {
		t.Errorf("no network: %+v, %v", out, err)
	}
	s := &script{trainErr: errors.New("the device fell off")}
	if _, err := Autoencoder(context.Background(), s, nil, conv(), recipe, options()); !errors.Is(err, s.trainErr) || s.closed != 1 {
		t.Errorf("a failing device: %v, closed %d times", err, s.closed)
	}
}

func TestCancellationIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &script{validation: []float64{0.5, 0.5, 0.5, 0.5}}
	o := options()
	o.Progress = func(int) { cancel() }
	if _, err := Autoencoder(ctx, s, nil, conv(), recipe, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in epoch 1: %v", err)
	}
	if len(s.calls) != 1 {
		t.Errorf("%d calls after the cancellation", len(s.calls)-1)
	}
}

func TestStartingWeightsStayUnlessBeaten(t *testing.T) {
	start := arch.InitialWeights(conv().Params(), 3)
	o := options()
	o.Weights, o.KeepStart = start, true
	worse := &script{validation: []float64{0.2, 0.3, 0.25, 0.2, 0.21}}
	out, err := Autoencoder(context.Background(), worse, nil, conv(), recipe, o)
	if err != nil || out.BestEpoch != 0 || out.Metrics.Loss != 0.2 || !reflect.DeepEqual(out.Weights, start) {
		t.Errorf("never beaten: %+v, %v", out, err)
	}
	better := &script{validation: []float64{0.2, 0.3, 0.1, 0.2, 0.21}}
	if out, err := Autoencoder(context.Background(), better, nil, conv(), recipe, o); err != nil || out.BestEpoch != 2 {
		t.Errorf("beaten in epoch 2: %+v, %v", out, err)
	}
	diverges := &script{validation: []float64{0.2}, nanAt: 1}
	if out, err := Autoencoder(context.Background(), diverges, nil, conv(), recipe, o); err != nil || out.Failure != "" || out.Metrics.Loss != 0.2 {
		t.Errorf("diverging: %+v, %v", out, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"epochs":     func(o *Options) { o.Epochs = 0 },
		"patience":   func(o *Options) { o.Patience = -1 },
		"batch":      func(o *Options) { o.Batch = 0 },
		"validation": func(o *Options) { o.Validation = nil },
	} {
		o := options()
		change(&o)
		if _, err := Autoencoder(context.Background(), &script{}, nil, conv(), recipe, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRates(t *testing.T) {
	near := func(s arch.Schedule, step, steps int, want float64) {
		t.Helper()
		if got := Rate(s, 0.01, step, steps); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s at %d of %d: %v, want %v", s, step, steps, got, want)
		}
	}
	near(arch.Constant, 5, 10, 0.01)
	near(arch.Cosine, 0, 10, 0.01)
	near(arch.Cosine, 5, 10, 0.005)
	near(arch.OneCycle, 0, 101, 0.0004)
	near(arch.OneCycle, 15, 101, (0.01+0.0004)/2)
	near(arch.OneCycle, 30, 101, 0.01)
	near(arch.OneCycle, 65, 101, (0.01+1e-6)/2)
	near(arch.OneCycle, 100, 101, 1e-6)
	near(arch.OneCycle, 0, 1, 0.01)
	for steps := 1; steps < 40; steps++ {
		for step := range steps {
			for _, s := range []arch.Schedule{arch.Constant, arch.Cosine, arch.OneCycle} {
				if r := Rate(s, 0.01, step, steps); !(r > 0 && r <= 0.01) {
					t.Fatalf("%s at %d of %d: %v", s, step, steps, r)
				}
			}
		}
	}
}

// Where there is a score, the weights of the lowest are taken, however small another
// epoch's loss is.
func TestWeightsAreTakenByTheirScore(t *testing.T) {
	s := &script{validation: []float64{0.5, 0.3, 0.4, 0.35}}
	o := options()
	var losses []float64
	o.Score = func(loss float64, _ engine.Program) (float64, error) {
		losses = append(losses, loss)
		return -loss, nil
	}
	out, err := Autoencoder(context.Background(), s, nil, conv(), recipe, o)
	if err != nil || out.BestEpoch != 1 || out.Metrics.Loss != 0.5 || out.Score != -0.5 || !slices.Equal(losses, s.validation) {
		t.Errorf("%+v of %v, %v", out, losses, err)
	}
	broken := errors.New("no probe")
	o.Score = func(float64, engine.Program) (float64, error) { return 0, broken }
	if _, err := Autoencoder(context.Background(), &script{validation: []float64{0.5}}, nil, conv(), recipe, o); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

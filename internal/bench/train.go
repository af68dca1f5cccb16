// Package bench measures whole training steps, as `moncae bench train` prints
// them: gathering the batch, forward, backward and optimiser, on random images.
//
// What is measured is wall time of Program.Train. Programs measured side by side
// each run on a goroutine of their own from one start to one end, so that the
// figure is that of a search at work. Figures of one machine at one time compare
// with each other; those of two runs may not.
package bench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
)

// Options say what to measure.
type Options struct {
	Arch      arch.Arch
	Batch     int            // images a step
	Optimizer arch.Optimizer // "" is Adam
	Precision engine.Precision
	Duration  time.Duration // of each measurement, at least
	Workers   []int         // numbers of candidates side by side; nil is 1 and Info().Workers
	Profile   bool          // also time the steps that a training step is made of, where the engine can
}

// Result is one measurement of a network.
type Result struct {
	Engine     engine.Info      `json:"engine"`
	Precision  engine.Precision `json:"precision"`
	Optimizer  arch.Optimizer   `json:"optimizer"`
	Batch      int              `json:"batch"`
	Params     int              `json:"params"`
	FLOPs      int64            `json:"flops"` // multiply-adds of a forward pass, an image
	CompileMS  float64          `json:"compile_ms"`
	Rates      []Rate           `json:"rates"`
	Profile    []Time           `json:"profile,omitempty"`
	GemmGFLOPS float64          `json:"gemm_gflops,omitempty"` // a large matrix product in the precision, one thread
	Costs      []engine.Cost    `json:"-"`                     // of a training step, where the engine knows them
}

// Rate is the throughput of some candidates side by side.
type Rate struct {
	Candidates      int     `json:"candidates"`
	ImagesPerSecond float64 `json:"images_per_second"` // of all of them
	Steps           int     `json:"steps"`
}

// Time is what one step of a training step takes, in processor time.
type Time struct {
	Step  string  `json:"step"`
	MS    float64 `json:"ms"`    // a training step
	Share float64 `json:"share"` // of the training step
	// OfPeak is the rate of a convolution's or dense layer's multiply-adds over
	// that of a large matrix product in the same precision; 0 for other steps.
	OfPeak float64 `json:"of_peak,omitempty"`
}

const images = 2048 // in the data: enough that a batch isn't in cache already

// batchBytes is what a batch's images may take as float32.
const batchBytes = 2 << 30

// Train measures training steps of o.Arch on the engine.
func Train(e engine.Engine, o Options) (r Result, err error) {
	o.defaults(e)
	if most := max(1, batchBytes/(4*o.Arch.Input.Values())); o.Batch > most {
		return r, fault.Usagef("batches of %d: so many images of %v take more than %d GiB of memory: give --batch %d at most", o.Batch, o.Arch.Input, batchBytes>>30, most)
	}
	r = Result{
		Engine: e.Info(), Precision: o.Precision, Optimizer: o.Optimizer, Batch: o.Batch,
		Params: o.Arch.ParamCount(), FLOPs: o.Arch.FLOPs(),
	}
	data, err := e.Load(random(o.Arch.Input))
	if err != nil {
		return r, err
	}
	runs := make([]*run, 0, most(o.Workers))
	defer func() {
		for _, x := range runs {
			err = errors.Join(err, x.program.Close())
		}
		err = errors.Join(err, data.Close())
	}()
	for range cap(runs) {
		start := time.Now()
		x, err := newRun(e, data, o)
		if err != nil {
			return r, err
		}
		if r.CompileMS == 0 {
			r.CompileMS = float64(time.Since(start).Microseconds()) / 1000
		}
		runs = append(runs, x)
	}
	for _, n := range o.Workers {
		rate, err := measure(runs[:n], o)
		if err != nil {
			return r, err
		}
		r.Rates = append(r.Rates, rate)
	}
	if p, ok := runs[0].program.(engine.Costed); ok {
		r.Costs = p.StepCosts()
	}
	if p, ok := runs[0].program.(engine.Profiler); ok && o.Profile {
		err = r.profile(runs[0], p, o)
	}
	return r, err
}

func (o *Options) defaults(e engine.Engine) {
	if o.Optimizer == "" {
		o.Optimizer = arch.Adam
	}
	if o.Precision == "" {
		o.Precision = engine.Float32
	}
	if o.Workers == nil {
		o.Workers = []int{1}
		if n := e.Info().Workers; n > 1 {
			o.Workers = append(o.Workers, n)
		}
	}
}

func most(v []int) int {
	m := 1
	for _, n := range v {
		m = max(m, n)
	}
	return m
}

func random(s arch.Shape) engine.Source {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]uint8, images*s.Values())
	for i := range b {
		b[i] = uint8(r.Uint32())
	}
	return engine.Source{Shape: s, Images: b}
}

// run is one candidate with the arguments of a call that trains a few steps.
type run struct {
	program       engine.Program
	rows          []int32
	rates, losses []float32
	steps         int
}

func newRun(e engine.Engine, d engine.Data, o Options) (*run, error) {
	net, err := graph.Autoencoder(o.Arch, o.Batch, graph.BCE, 1)
	if err != nil {
		return nil, err
	}
	p, err := e.Compile(net, d, engine.Config{Optimizer: o.Optimizer, Precision: o.Precision, Weights: arch.InitialWeights(net.Params, 1)})
	if err != nil {
		return nil, err
	}
	x := &run{program: p}
	x.calls(1, o.Batch)
	return x, nil
}

// calls makes the arguments for calls of n steps each.
func (x *run) calls(n, batch int) {
	x.rows = make([]int32, n*batch)
	x.rates, x.losses = make([]float32, n), make([]float32, n)
	for i := range x.rows {
		x.rows[i] = int32(i % images)
	}
	for i := range x.rates {
		x.rates[i] = 1e-3
	}
}

func (x *run) train() error {
	x.steps += len(x.rates)
	return x.program.Train(x.rows, x.rates, x.losses)
}

// until trains until the duration is over, in calls of about a tenth of a second.
func (x *run) until(d time.Duration, batch int) (time.Duration, error) {
	start := time.Now()
	if err := x.train(); err != nil { // a first step, to size the calls by
		return 0, err
	}
	step := time.Since(start)
	x.calls(1+int(100*time.Millisecond/max(step, time.Microsecond)), batch)
	start, x.steps = time.Now(), 0
	for time.Since(start) < d {
		if err := x.train(); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func measure(runs []*run, o Options) (Rate, error) {
	rate := Rate{Candidates: len(runs)}
	took, errs := make([]time.Duration, len(runs)), make([]error, len(runs))
	var group sync.WaitGroup
	for i, x := range runs {
		group.Go(func() {
			x.calls(1, o.Batch)
			took[i], errs[i] = x.until(o.Duration, o.Batch)
		})
	}
	group.Wait()
	for i, x := range runs {
		if errs[i] != nil {
			return rate, fmt.Errorf("bench: %w", errs[i])
		}
		rate.Steps += x.steps
		rate.ImagesPerSecond += float64(x.steps*o.Batch) / took[i].Seconds()
	}
	return rate, nil
}

func (r *Result) profile(x *run, p engine.Profiler, o Options) error {
	p.Profile()
	x.calls(1, o.Batch)
	if _, err := x.until(o.Duration, o.Batch); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	times, total := p.Times(), 0.0
	steps := float64(x.steps + 1)
	r.GemmGFLOPS = p.GemmPeak()
	for _, t := range times {
		total += t.Seconds
	}
	for _, t := range times {
		if t.Seconds == 0 {
			continue
		}
		row := Time{Step: t.Step, MS: 1000 * t.Seconds / steps, Share: t.Seconds / total}
		if t.MACs > 0 {
			row.OfPeak = 2 * float64(t.MACs) * steps / t.Seconds / 1e9 / r.GemmGFLOPS
		}
		r.Profile = append(r.Profile, row)
	}
	return nil
}

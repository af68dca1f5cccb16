package selftest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

// tolerance is how far a training in a precision may be from ref's, relative to
// the size of what is compared: float32 sums in another order, 10 and 7 bits of
// mantissa in each product.
var tolerance = map[engine.Precision]float64{engine.Float32: 1e-4, engine.TF32: 1e-2, engine.BFloat16: 5e-2}

// subject is a network with data and starting weights.
type subject struct {
	net     *graph.Net
	source  engine.Source
	weights arch.Weights
}

// imagesFor is a subject with random images; biases and norms start off their
// usual places, or their gradients would not show.
func imagesFor(a arch.Arch, batch int, loss graph.Loss) (subject, error) {
	net, err := graph.Autoencoder(a, batch, loss, 7)
	if err != nil {
		return subject{}, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	images := make([]uint8, (2*batch+1)*a.Input.Values())
	for i := range images {
		images[i] = uint8(r.IntN(256))
	}
	return subject{net, engine.Source{Shape: a.Input, Images: images}, arch.ScatteredWeights(net.Params, 7, r)}, nil
}

func featuresFor(in arch.Shape, head arch.Stack, classes, batch int) (subject, error) {
	net, err := graph.Classifier(in, head, classes, batch, 7)
	if err != nil {
		return subject{}, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	rows := 2*batch + 1
	s := engine.Source{Shape: in, Features: make([]float32, rows*in.Values()), Labels: make([]int32, rows)}
	for i := range s.Features {
		s.Features[i] = float32(r.NormFloat64())
	}
	for i := range s.Labels {
		s.Labels[i] = int32(r.IntN(classes))
	}
	return subject{net, s, arch.ScatteredWeights(net.Params, 7, r)}, nil
}

// result is what a training of some steps leaves.
type result struct {
	losses  []float32
	moved   arch.Weights // less the starting weights: with plain momentum, gradients
	output  []float32
	metrics engine.Metrics
}

// run trains the subject on an engine for some steps.
func (s subject) run(e engine.Engine, rule arch.Optimizer, p engine.Precision, steps int) (r result, err error) {
	data, err := e.Load(s.source)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, data.Close()) }()
	program, err := e.Compile(s.net, data, engine.Config{Optimizer: rule, Precision: p, Weights: s.weights})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	return s.train(program, steps)
}

func (s subject) train(p engine.Program, steps int) (r result, err error) {
	rows, rates := make([]int32, steps*s.net.Batch), make([]float32, steps)
	for i := range rows {
		rows[i] = int32((i*5 + 2) % s.source.Rows())
	}
	for i := range rates {
		rates[i] = 0.01
	}
	if steps == 1 { // large, so that a weight's own rounding doesn't hide its gradient
		rates[0] = 1
	}
	r.losses = make([]float32, steps)
	if err := p.Train(rows, rates, r.losses); err != nil {
		return r, err
	}
	if r.moved, err = p.Weights(); err != nil {
		return r, err
	}
	for name, v := range r.moved {
		for i := range v {
			v[i] -= s.weights[name][i]
		}
	}
	some := rows[:s.net.Batch/2+1] // less than a batch
	r.output = make([]float32, len(some)*s.net.Output.Values())
	if err := p.Infer(some, nil, r.output); err != nil {
		return r, err
	}
	r.metrics, err = p.Evaluate(some)
	return r, err
}

// distance is the largest of the relative distances between a result and ref's:
// of losses, of outputs, and of every parameter's way, whose size counts as a
// tenth of all ways' at least, for some are sums of nothing.
func (r result) distance(want result) (far float64, what string) {
	all := 0.0
	for _, v := range want.moved {
		all += square(v, nil)
	}
	look := func(name string, got, want []float32, least float64) {
		d := math.Sqrt(square(got, want)) / max(math.Sqrt(square(want, nil)), least)
		if d > far || math.IsNaN(d) {
			far, what = d, name
		}
	}
	look("losses", r.losses, want.losses, 1e-3)
	look("outputs", r.output, want.output, 1e-3)
	for name, v := range want.moved {
		look(name, r.moved[name], v, 0.1*math.Sqrt(all)+1e-12)
	}
	return far, what
}

func square(a, b []float32) (sum float64) {
	for i, v := range a {
		d := float64(v)
		if b != nil {
			d -= float64(b[i])
		}
		sum += d * d
	}
	return sum
}

// hold compares one training on the engine with the reference's.
func (t *trials) hold(s subject, rule arch.Optimizer, p engine.Precision, steps int) (far float64, err error) {
	want, err := s.run(ref.New(), rule, engine.Float32, steps)
	if err != nil {
		return 0, err
	}
	got, err := s.run(t.engine, rule, p, steps)
	if err != nil {
		return 0, err
	}
	far, what := got.distance(want)
	allowed := tolerance[p]
	if steps > 1 { // a small gradient's rounding is a large part of an adaptive step
		allowed *= 10
	}
	if !(far <= allowed) {
		return far, fmt.Errorf("%s are %.2g off, %.0g is allowed in %s", what, far, allowed, p)
	}
	return far, nil
}

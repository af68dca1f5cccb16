package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

// trial is a network with data and weights, to be run on engines.
type trial struct {
	net     *graph.Net
	source  engine.Source
	weights arch.Weights
}

// autoencoder makes a trial of random images; batch norms and biases start off
// their usual places, or their gradients would not show.
func autoencoder(t *testing.T, a arch.Arch, batch int, loss graph.Loss, seed uint64) trial {
	t.Helper()
	return denoiser(t, a, batch, loss, 0, seed)
}

// denoiser is an autoencoder whose trainings see noisy images.
func denoiser(t *testing.T, a arch.Arch, batch int, loss graph.Loss, sigma float64, seed uint64) trial {
	t.Helper()
	net, err := graph.Denoiser(a, batch, loss, sigma, seed)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 1))
	images := make([]uint8, (2*batch+3)*a.Input.Values())
	for i := range images {
		images[i] = uint8(r.IntN(256))
	}
	return trial{net, engine.Source{Shape: a.Input, Images: images}, weights(net.Params, seed)}
}

// classifier makes a trial of random features and labels.
func classifier(t *testing.T, in arch.Shape, head arch.Stack, classes, batch int, seed uint64) trial {
	t.Helper()
	net, err := graph.Classifier(in, head, classes, batch, seed)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	s := engine.Source{Shape: in, Features: make([]float32, (2*batch+3)*in.Values()), Labels: make([]int32, 2*batch+3)}
	for i := range s.Features {
		s.Features[i] = float32(r.NormFloat64())
	}
	for i := range s.Labels {
		s.Labels[i] = int32(r.IntN(classes))
	}
	return trial{net, s, weights(net.Params, seed)}
}

func weights(params []arch.Param, seed uint64) arch.Weights {
	return arch.ScatteredWeights(params, seed, rand.New(rand.NewPCG(seed, 3)))
}

// rows are n row numbers, every one there is in turn, but in no plain order.
func (tr trial) rows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32((i*5 + 2) % tr.source.Rows())
	}
	return rows
}

// compile makes a program that ends with the test.
func (tr trial) compile(t *testing.T, e engine.Engine, rule arch.Optimizer) engine.Program {
	t.Helper()
	return tr.compileWith(t, e, engine.Config{Optimizer: rule, Weights: tr.weights})
}

func (tr trial) compileWith(t *testing.T, e engine.Engine, cfg engine.Config) engine.Program {
	t.Helper()
	data, err := e.Load(tr.source)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(tr.net, data, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close program: %v", err)
		}
		if err := data.Close(); err != nil {
			t.Errorf("close data: %v", err)
		}
	})
	return p
}

// gradientRate is large, so that the weights' own rounding is small in the
// gradients read off them.
const gradientRate = 16

// result is what a network gives away: before training the outputs and metrics,
// then the loss, gradients and statistics of one batch.
type result struct {
	latent, output []float32
	metrics        engine.Metrics
	loss           float64
	gradients      map[string][]float64
	statistics     arch.Weights
}

func (tr trial) result(t *testing.T, e engine.Engine) result {
	t.Helper()
	p, rows := tr.compile(t, e, arch.SGD), tr.rows(2*tr.net.Batch+1)
	r := result{output: make([]float32, len(rows)*tr.net.Output.Values()), gradients: map[string][]float64{}, statistics: arch.Weights{}}
	if tr.net.Infer.Latent != nil {
		r.latent = make([]float32, len(rows)*tr.net.Latent.Values())
	}
	must(t, p.Infer(rows, r.latent, r.output))
	var err error
	r.metrics, err = p.Evaluate(rows)
	must(t, err)
	losses := train(t, p, rows[:tr.net.Batch], gradientRate)
	r.loss = float64(losses[0])
	after, err := p.Weights()
	must(t, err)
	for _, q := range tr.net.Params {
		if !q.Trained() {
			r.statistics[q.Name] = after[q.Name]
			continue
		}
		g := make([]float64, q.Size())
		for i := range g {
			g[i] = (float64(tr.weights[q.Name][i]) - float64(after[q.Name][i])) / gradientRate
		}
		r.gradients[q.Name] = g
	}
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func train(t *testing.T, p engine.Program, rows []int32, rates ...float32) []float32 {
	t.Helper()
	losses := make([]float32, len(rates))
	must(t, p.Train(rows, rates, losses))
	return losses
}

// check holds the engine against ref at this trial, ref against differences.
func (s *suite) check(t *testing.T, tr trial) {
	t.Helper()
	for _, fault := range s.compare(t, tr) {
		t.Error(fault)
	}
}

// compare tells where the engine is not where it should be.
func (s *suite) compare(t *testing.T, tr trial) []string {
	t.Helper()
	if s.engine.Info().Name == "ref" {
		return s.differences(t, tr)
	}
	want, got := tr.result(t, ref.New()), tr.result(t, s.engine)
	var faults []string
	near := func(what string, got, want float64) {
		if d := math.Abs(got - want); !(d <= s.Value*max(1, math.Abs(want))) {
			faults = append(faults, fmt.Sprintf("%s is %v, ref has %v", what, got, want))
		}
	}
	near("training loss", got.loss, want.loss)
	near("loss", got.metrics.Loss, want.metrics.Loss)
	near("BCE", got.metrics.BCE, want.metrics.BCE)
	near("MSE", got.metrics.MSE, want.metrics.MSE)
	near("accuracy", got.metrics.Accuracy, want.metrics.Accuracy)
	each := func(what string, got, want []float32) {
		for i := range want {
			near(fmt.Sprintf("%s[%d]", what, i), float64(got[i]), float64(want[i]))
		}
	}
	each("latent", got.latent, want.latent)
	each("output", got.output, want.output)
	for _, q := range tr.net.Params {
		each(q.Name, got.statistics[q.Name], want.statistics[q.Name])
	}
	tolerance := s.Gradient
	if tr.net.Loss == graph.SSIM && flat(want.output, tr.net.Output) {
		tolerance *= 10
	}
	return append(faults, s.compareGradients(tr, got.gradients, want.gradients, tolerance)...)
}

// flat tells whether all pixels of an image's channel are alike, in every image. Then they come
// of one value, in whose gradient SSIM's slopes by the pixels cancel: in a network of 4×5 pixels
// slopes of up to 0.01 left 3e-5, of which float32 made ref 1e-4 wrong against float64, and CUDA 2e-3.
func flat(images []float32, s arch.Shape) bool {
	plane := s.H * s.W
	for i, v := range images {
		if v != images[i/plane*plane] {
			return false
		}
	}
	return true
}

func (s *suite) compareGradients(tr trial, got, want map[string][]float64, tolerance float64) (faults []string) {
	all := 0.0
	for _, g := range want {
		all += square(g, nil)
	}
	for _, q := range tr.net.Params {
		if !q.Trained() {
			continue
		}
		distance, norm := math.Sqrt(square(got[q.Name], want[q.Name])), math.Sqrt(square(want[q.Name], nil))
		if !(distance <= tolerance*(norm+0.1*math.Sqrt(all))) {
			faults = append(faults, fmt.Sprintf("gradient of %s is %.3g off, its norm is %.3g, that of all %.3g", q.Name, distance, norm, math.Sqrt(all)))
		}
	}
	return faults
}

// square is |a − b|², of a alone where b is nil.
func square(a, b []float64) (sum float64) {
	for i, v := range a {
		if b != nil {
			v -= b[i]
		}
		sum += v * v
	}
	return sum
}

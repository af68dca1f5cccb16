package export

import (
	"errors"
	"math/rand/v2"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
)

func needORT(t *testing.T) {
	t.Helper()
	if _, _, err := ort.Load(""); err != nil {
		t.Skip(err)
	}
}

// randomWeights are parameters as after a training: nothing is 0 or 1, and the
// running averages are nobody's.
func randomWeights(params []arch.Param, r *rand.Rand) arch.Weights {
	w := arch.Weights{}
	for _, p := range params {
		v := make([]float32, p.Size())
		for i := range v {
			switch p.Role {
			case arch.Weight:
				v[i] = float32(r.NormFloat64() * p.Spread)
			case arch.Gamma, arch.Variance:
				v[i] = 0.3 + 1.5*r.Float32()
			default:
				v[i] = float32(r.NormFloat64() * 0.3)
			}
		}
		w[p.Name] = v
	}
	return w
}

// referenceSample is what the engine ref makes of n random images.
func referenceSample(t *testing.T, a arch.Arch, w arch.Weights, n int, r *rand.Rand) run.Forward {
	t.Helper()
	return infer(t, ref.New(), a, w, randomPixels(a, n, r))
}

func randomPixels(a arch.Arch, n int, r *rand.Rand) []uint8 {
	pixels := make([]uint8, n*a.Input.Values())
	for i := range pixels {
		pixels[i] = uint8(r.IntN(256))
	}
	return pixels
}

// infer is what an engine makes of images.
func infer(t *testing.T, e engine.Engine, a arch.Arch, w arch.Weights, pixels []uint8) run.Forward {
	t.Helper()
	n := len(pixels) / a.Input.Values()
	net, err := graph.Autoencoder(a, n, graph.BCE, 0)
	if err != nil {
		t.Fatal(err)
	}
	source := engine.Source{Shape: a.Input, Images: pixels}
	s := run.Forward{Images: make([]float32, len(pixels)), Latents: make([]float32, n*a.Latent().Values()), Outputs: make([]float32, len(pixels))}
	for i := range n {
		source.Row(s.Images[i*a.Input.Values():], i)
	}
	runRows(t, e, net, source, w, s.Latents, s.Outputs)
	return s
}

func runRows(t *testing.T, e engine.Engine, net *graph.Net, source engine.Source, w arch.Weights, latent, output []float32) {
	t.Helper()
	data, err := e.Load(source)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(net, data, engine.Config{Optimizer: arch.Adam, Weights: w})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]int32, source.Rows())
	for i := range rows {
		rows[i] = int32(i)
	}
	if err := errors.Join(p.Infer(rows, latent, output), p.Close(), data.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
}

// sameAs compares an engine's sample with the reference's.
func sameAs(t *testing.T, want, got run.Forward, n int, what string) {
	t.Helper()
	_, latents := compare(got.Latents, want.Latents, n, Tolerance(onnx.Float))
	_, outputs := compare(got.Outputs, want.Outputs, n, Tolerance(onnx.Float))
	if err := errors.Join(latents, outputs); err != nil {
		t.Errorf("%s: onednn: %v", what, err)
	}
}

// headReference is what the pure-Go kernels make of n standardised latents.
func headReference(t *testing.T, h onnxnet.Head, latents []float32, n int) []float32 {
	t.Helper()
	x := append([]float32(nil), latents...)
	for i := range x {
		k := i % len(h.Mean)
		x[i] = (x[i] - h.Mean[k]) * h.Scale[k]
	}
	shapes, err := h.Stack.Shapes(h.In)
	if err != nil {
		t.Fatal(err)
	}
	classes := shapes[len(shapes)-1].C
	net, err := graph.Classifier(h.In, h.Stack, classes, n, 0)
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, n*classes)
	runRows(t, ref.New(), net, engine.Source{Shape: h.In, Features: x, Labels: make([]int32, n)}, h.Weights, nil, logits)
	return logits
}

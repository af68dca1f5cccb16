//go:build onednn && cgo

package onednn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/onednn/native"
	"moncae/internal/graph"
)

// The nets of these tests hold every op, in every order that fusion tells apart.

func conv(filters, kernel, stride int) arch.Layer {
	return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: kernel, Stride: stride}
}
func act(a arch.Activation) arch.Layer { return arch.Layer{Kind: arch.Activate, Activation: a} }
func up(h, w int) arch.Layer           { return arch.Layer{Kind: arch.Upsample, To: &[2]int{h, w}} }
func drop(rate float64) arch.Layer     { return arch.Layer{Kind: arch.Dropout, Rate: rate} }
func add(from int) arch.Layer          { return arch.Layer{Kind: arch.Add, From: from} }

var (
	norm = arch.Layer{Kind: arch.BatchNorm}
	pool = arch.Layer{Kind: arch.MaxPool}
)

var archs = map[string]arch.Arch{
	"norm before activation": {
		Input:   arch.Shape{C: 1, H: 13, W: 10},
		Encoder: arch.Stack{conv(16, 3, 1), norm, act(arch.ReLU), pool, conv(5, 5, 1), norm, act(arch.Sigmoid), pool, conv(4, 3, 1)},
		Decoder: arch.Stack{conv(5, 3, 1), norm, act(arch.LeakyReLU), up(7, 5), conv(16, 3, 1), norm, act(arch.ELU), up(13, 10), conv(1, 3, 1)},
	},
	"norm after activation": {
		Input:   arch.Shape{C: 3, H: 12, W: 9},
		Encoder: arch.Stack{conv(8, 3, 1), act(arch.ReLU), norm, pool, conv(4, 7, 1), act(arch.ELU), norm, conv(2, 1, 1), act(arch.Sigmoid)},
		Decoder: arch.Stack{conv(8, 3, 1), act(arch.LeakyReLU), norm, up(12, 9), conv(8, 3, 1), act(arch.Sigmoid), norm, conv(3, 3, 1)},
	},
	"no norm, silu, stride": {
		Input:   arch.Shape{C: 1, H: 9, W: 14},
		Encoder: arch.Stack{conv(6, 3, 2), act(arch.SiLU), conv(12, 1, 2), norm, act(arch.SiLU), pool, act(arch.ReLU), conv(3, 3, 1)},
		Decoder: arch.Stack{conv(12, 5, 1), act(arch.SiLU), up(3, 4), act(arch.ReLU), up(5, 7), conv(6, 3, 1), act(arch.ReLU), up(9, 14), conv(1, 5, 1)},
	},
	"residual and dropout": {
		Input:   arch.Shape{C: 3, H: 8, W: 7},
		Encoder: arch.Stack{conv(8, 3, 1), norm, act(arch.ReLU), drop(0.3), conv(8, 3, 1), act(arch.ReLU), add(3), pool, drop(0.5), conv(8, 3, 2), norm, add(10), act(arch.ELU)},
		Decoder: arch.Stack{conv(8, 3, 1), norm, act(arch.ReLU), add(0), up(4, 4), up(8, 7), drop(0.1), conv(3, 3, 1), act(arch.ReLU), add(8), conv(3, 1, 1)},
	},
	"convolutions of upsampled images": {
		Input:   arch.Shape{C: 1, H: 16, W: 24},
		Encoder: arch.Stack{conv(8, 3, 1), pool, conv(16, 3, 1), norm, act(arch.ReLU), pool, pool, conv(16, 1, 1)},
		Decoder: arch.Stack{up(4, 6), conv(17, 3, 1), norm, act(arch.ReLU), up(8, 12), conv(32, 5, 1), act(arch.Sigmoid), norm, up(16, 24), conv(8, 7, 1), conv(1, 3, 1)},
	},
	"to one channel": {
		Input:   arch.Shape{C: 1, H: 8, W: 12},
		Encoder: arch.Stack{conv(8, 3, 1), pool, act(arch.ReLU)},
		Decoder: arch.Stack{conv(5, 3, 1), norm, act(arch.ReLU), up(8, 12), conv(1, 5, 1)},
	},
	"to three channels": {
		Input:   arch.Shape{C: 3, H: 16, W: 16},
		Encoder: arch.Stack{conv(16, 7, 1), pool, norm, act(arch.ReLU), pool},
		Decoder: arch.Stack{up(8, 8), conv(3, 7, 1), act(arch.ELU), conv(16, 3, 1), up(16, 16), conv(3, 3, 1)},
	},
	"dropout after resampling": {
		Input:   arch.Shape{C: 1, H: 8, W: 12},
		Encoder: arch.Stack{conv(8, 3, 1), norm, act(arch.Sigmoid), pool, drop(0.3), conv(4, 3, 1), norm, act(arch.ELU), pool, drop(0.2), conv(4, 3, 1)},
		Decoder: arch.Stack{conv(8, 3, 1), act(arch.ELU), norm, act(arch.Sigmoid), up(4, 6), drop(0.4), conv(4, 3, 1), act(arch.ELU), norm, up(8, 12), drop(0.1), conv(1, 3, 1)},
	},
	"sums after resampling": {
		Input:   arch.Shape{C: 2, H: 8, W: 8},
		Encoder: arch.Stack{conv(4, 3, 1)},
		Decoder: arch.Stack{act(arch.ELU), pool, conv(4, 3, 1), norm, act(arch.Sigmoid), up(8, 8), add(0), conv(4, 3, 1), norm, act(arch.ReLU), pool, conv(4, 3, 1), act(arch.ELU), up(8, 8), add(7), conv(2, 3, 1)},
	},
	"pooling first": {
		Input:   arch.Shape{C: 2, H: 8, W: 8},
		Encoder: arch.Stack{pool, conv(4, 3, 1), pool, conv(4, 3, 1), norm, pool},
		Decoder: arch.Stack{up(2, 2), norm, up(4, 4), norm, conv(2, 3, 1), up(8, 8)},
	},
}

// weights are drawn so that no derivative sits on a kink: biases aren't zero.
func weights(params []arch.Param, seed uint64) arch.Weights {
	r := rand.New(rand.NewPCG(seed, 1))
	w := arch.Weights{}
	for _, p := range params {
		v := make([]float32, p.Size())
		for i := range v {
			switch p.Role {
			case arch.Weight:
				v[i] = float32(p.Spread * r.NormFloat64())
			case arch.Gamma, arch.Variance:
				v[i] = 0.5 + r.Float32()
			default:
				v[i] = 0.2 * float32(r.NormFloat64())
			}
		}
		w[p.Name] = v
	}
	return w
}

func images(s arch.Shape, rows int, seed uint64) engine.Source {
	r := rand.New(rand.NewPCG(seed, 2))
	b := make([]uint8, rows*s.Values())
	for i := range b {
		b[i] = uint8(r.Uint32())
	}
	return engine.Source{Shape: s, Images: b}
}

// tape runs a graph once through Gorgonia's machine over the reference kernels.
func tape(t *testing.T, g *gorgonia.ExprGraph, params map[string]*gorgonia.Node, w arch.Weights, let map[*gorgonia.Node]gorgonia.Value) {
	t.Helper()
	for name, n := range params {
		set(t, n, tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(append([]float32(nil), w[name]...))))
	}
	for n, v := range let {
		set(t, n, v)
	}
	m := gorgonia.NewTapeMachine(g)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, n *gorgonia.Node, v gorgonia.Value) {
	t.Helper()
	if err := gorgonia.Let(n, v); err != nil {
		t.Fatal(err)
	}
}

func rowsOf(s engine.Source, rows []int32) gorgonia.Value {
	v := make([]float32, 0, len(rows)*s.Shape.Values())
	for _, r := range rows {
		for i := range s.Shape.Values() {
			if s.Images != nil {
				v = append(v, float32(s.Images[int(r)*s.Shape.Values()+i])/255)
			} else {
				v = append(v, s.Features[int(r)*s.Shape.Values()+i])
			}
		}
	}
	return tensor.New(tensor.WithShape(len(rows), s.Shape.C, s.Shape.H, s.Shape.W), tensor.WithBacking(v))
}

// distance is ‖a−b‖/‖b‖, with a floor for gradients that are sums of nothing.
func distance(a, b []float32, floor float64) float64 {
	var d, s float64
	for i := range a {
		d += math.Pow(float64(a[i])-float64(b[i]), 2)
		s += math.Pow(float64(b[i]), 2)
	}
	return math.Sqrt(d) / max(math.Sqrt(s), floor)
}

func TestStepAgainstTapeMachine(t *testing.T) {
	eachISA(t, stepAgainstTapeMachine)
}

// eachISA runs f with the kernels of every instruction set that there is.
func eachISA(t *testing.T, f func(t *testing.T, isa string)) {
	best := native.ISA()
	defer native.UseISA(best)
	for _, isa := range []string{"avx512", "avx2", "generic"} {
		if !native.UseISA(isa) {
			t.Logf("this processor has no %s", isa)
			continue
		}
		f(t, isa)
	}
}

func stepAgainstTapeMachine(t *testing.T, isa string) {
	for name, a := range archs {
		for _, loss := range []graph.Loss{graph.BCE, graph.MSE} {
			t.Run(fmt.Sprint(isa, " ", name, " ", loss), func(t *testing.T) {
				for _, o := range []struct {
					batch int
					sigma float64
				}{{5, 0}, {5, 0.3}, {16, 0}} { // of sixteen, narrow convolutions have images abreast
					net, err := graph.Denoiser(a, o.batch, loss, o.sigma, 77)
					if err != nil {
						t.Fatal(err)
					}
					compare(t, net, images(a.Input, 11, 3))
				}
			})
		}
	}
}

// someRows are n of eleven rows, out of order and some twice.
func someRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i * i % 11)
	}
	return rows
}

func compare(t *testing.T, net *graph.Net, s engine.Source) {
	rows := someRows(net.Batch)
	w := weights(net.Params, 5)
	p := compile(t, net, s, engine.Config{Optimizer: arch.SGD, Weights: w})
	let := map[*gorgonia.Node]gorgonia.Value{net.Train.Input: rowsOf(s, rows)}
	if net.Train.Step != nil {
		let[net.Train.Step] = gorgonia.NewF32(0)
	}
	if net.Loss == graph.CrossEntropy {
		labels := make([]float32, len(rows))
		for i, r := range rows {
			labels[i] = float32(s.Labels[r])
		}
		let[net.Train.Target] = tensor.New(tensor.WithShape(len(rows)), tensor.WithBacking(labels))
	}
	var losses [1]float32
	if err := p.Train(rows, []float32{0}, losses[:]); err != nil {
		t.Fatal(err)
	}
	tape(t, net.Train.Graph, net.Train.Params, w, let)
	if want := net.Train.Loss.Value().Data().(float32); math.Abs(float64(losses[0]-want)) > 2e-6*math.Abs(float64(want)) {
		t.Errorf("loss %v, the tape machine's %v", losses[0], want)
	}
	after, err := p.Weights()
	if err != nil {
		t.Fatal(err)
	}
	grads := p.(*program).params.Grads()
	largest := 0.0
	for _, n := range net.Train.Grads {
		largest = max(largest, distance(n.Value().Data().([]float32), make([]float32, n.Shape().TotalSize()), 1))
	}
	for _, q := range net.Params {
		if !q.Trained() {
			want := net.Train.Stats[q.Name].Value().Data().([]float32)
			if d := distance(after[q.Name], want, 1e-3); d > 1e-5 {
				t.Errorf("%s after one step: %v, the batch's own %v", q.Name, after[q.Name], want)
			}
			continue
		}
		at := p.(*program).layout.Offset[q.Name]
		// A bias before a norm has no gradient: rounding alone is left of it.
		if d := distance(grads[at:at+q.Size()], net.Train.Grads[q.Name].Value().Data().([]float32), 1e-2*largest); d > 3e-5 {
			t.Errorf("gradient of %s is off by %.1e", q.Name, d)
		}
	}
	compareInference(t, net, s, p, w)
}

func compareInference(t *testing.T, net *graph.Net, s engine.Source, p engine.Program, w arch.Weights) {
	if err := p.SetWeights(w); err != nil {
		t.Fatal(err)
	}
	rows := someRows(net.Batch + 2) // a batch and a rest
	latent := make([]float32, len(rows)*net.Latent.Values())
	output := make([]float32, len(rows)*net.Output.Values())
	if net.Latent.Values() == 0 {
		latent = nil
	}
	if err := p.Infer(rows, latent, output); err != nil {
		t.Fatal(err)
	}
	tape(t, net.Infer.Graph, net.Infer.Params, w, map[*gorgonia.Node]gorgonia.Value{net.Infer.Input: rowsOf(s, rows[:net.Batch])})
	if latent != nil {
		want := net.Infer.Latent.Value().Data().([]float32)
		if d := distance(latent[:len(want)], want, 1e-3); d > 1e-5 {
			t.Errorf("latent is off by %.1e", d)
		}
	}
	want := append([]float32(nil), net.Infer.Logits.Value().Data().([]float32)...)
	if net.Loss != graph.CrossEntropy {
		for i, v := range want {
			want[i] = float32(1 / (1 + math.Exp(-float64(v))))
		}
	}
	if d := distance(output[:len(want)], want, 1e-3); d > 1e-5 {
		t.Errorf("output is off by %.1e", d)
	}
}

func compile(t testing.TB, net *graph.Net, s engine.Source, cfg engine.Config) engine.Program {
	t.Helper()
	e, err := New()
	if err != nil {
		t.Fatal(err)
	}
	d, err := e.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(net, d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		e.Close()
	})
	return p
}

package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
)

// fixture is an op with inputs to differentiate it at.
type fixture struct {
	op     gorgonia.Op
	inputs []array
}

func fixtures(r *rand.Rand) []fixture {
	normal := func(shape ...int) array {
		return fill(shape, func(int) float64 { return r.NormFloat64() })
	}
	unit := func(shape ...int) array { return fill(shape, func(int) float64 { return r.Float64() }) }
	// Away from the kink at 0 by more than the stencil is wide.
	apart := func(shape ...int) array {
		return fill(shape, func(int) float64 { return (0.2 + r.Float64()) * float64(1-2*r.IntN(2)) })
	}
	// No two values closer than the stencil is wide: no ties within a window.
	distinct := func(shape ...int) array {
		p := r.Perm(tensor.Shape(shape).TotalSize())
		return fill(shape, func(i int) float64 { return 0.3 * float64(p[i]-len(p)/2) })
	}
	step := array{tensor.ScalarShape(), []float32{3}}

	fs := []fixture{
		{Dense{}, []array{normal(3, 2, 2, 3), normal(4, 12), normal(4)}},
		{Dense{}, []array{normal(1, 1, 1, 1), normal(1, 1), normal(1)}},
		{BatchNorm{}, []array{normal(2, 3, 3, 2), normal(3), normal(3)}},
		{BatchNorm{}, []array{normal(3, 1, 1, 2), normal(1), normal(1)}},
		{Dropout{Rate: 0.4, Layer: 2, Seed: 9}, []array{normal(2, 3, 3, 2), step}},
		{MaxPool2{}, []array{distinct(2, 2, 4, 6)}},
		{MaxPool2{}, []array{distinct(2, 3, 5, 7)}},
		{MaxPool2{}, []array{distinct(2, 1, 3, 4)}},
		{MaxPool2{}, []array{distinct(1, 2, 1, 2)}},
		{Upsample2{H: 6, W: 4}, []array{normal(2, 2, 3, 2)}},
		{Upsample2{H: 5, W: 7}, []array{normal(2, 3, 3, 4)}},
		{Upsample2{H: 1, W: 4}, []array{normal(1, 2, 1, 2)}},
		{Add{}, []array{normal(2, 3, 2, 3), normal(2, 3, 2, 3)}},
		{BCEWithLogits{}, []array{normal(2, 3, 3, 2), unit(2, 3, 3, 2)}},
		{MSE{}, []array{normal(2, 3, 3, 2), unit(2, 3, 3, 2)}},
		{Blend{SSIM: 1}, []array{normal(2, 2, 12, 13), unit(2, 2, 12, 13)}},
		{Blend{SSIM: 0.7, MSE: 2}, []array{normal(2, 3, 5, 4), unit(2, 3, 5, 4)}},
		{Blend{BCE: 0.3, MSE: 0.5, SSIM: 1}, []array{normal(3, 1, 1, 2), unit(3, 1, 1, 2)}},
		{SoftmaxCrossEntropy{}, []array{normal(3, 4, 1, 1), {tensor.Shape{3}, []float32{2, 0, 3}}}},
	}
	for _, f := range []arch.Activation{arch.ReLU, arch.Sigmoid, arch.LeakyReLU, arch.ELU, arch.SiLU} {
		fs = append(fs, fixture{Activation{F: f}, []array{apart(2, 3, 3, 2)}})
	}
	for _, k := range []int{1, 3, 5, 7} {
		for _, stride := range []int{1, 2} {
			for _, x := range [][]int{{2, 3, 5, 4}, {3, 1, 4, 7}, {1, 4, 1, 2}} {
				op := Conv2D{Kernel: k, Stride: stride}
				fs = append(fs, fixture{op, []array{normal(x...), normal(2, x[1], k, k), normal(2)}})
			}
		}
		for _, y := range [][]int{{2, 3, 5, 4}, {3, 1, 4, 7}, {1, 4, 1, 2}} {
			op := ConvTranspose2D{Kernel: k, H: y[2], W: y[3]}
			fs = append(fs, fixture{op, []array{normal(y[0], 2, (y[2]+1)/2, (y[3]+1)/2), normal(2, y[1], k, k), normal(y[1])}})
		}
	}
	return fs
}

func fill(shape []int, f func(i int) float64) array {
	v := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range v {
		v[i] = float32(f(i))
	}
	return array{shape, v}
}

// width is the stencil's step, a power of two so that x ± width rounds little.
const width = 1.0 / 64

// TestGradients compares every symbolic gradient with a central difference of
// fourth order of L = Σ r·f(x), with random r. Its tolerance is derived: the
// float32 rounding of f's values moves the quotient by at most
// 1.5·2⁻²⁴·Σ|r·f|/width, the truncation is less than the difference to the same
// stencil at twice the width (itself checked to be small), and the gradient
// rounds to float32.
func TestGradients(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range fixtures(r) {
		var sizes []any
		for _, in := range f.inputs {
			sizes = append(sizes, in.s)
		}
		t.Run(fmt.Sprint(f.op, sizes), func(t *testing.T) { f.check(t, r) })
	}
}

func (f fixture) check(t *testing.T, r *rand.Rand) {
	y := f.forward(t)
	weights := fill([]int{len(y)}, func(int) float64 { return r.NormFloat64() }).v
	grads := f.symbolic(t, weights)
	loss := func() (sum, size float64) {
		for i, v := range f.forward(t) {
			sum += float64(v) * float64(weights[i])
			size += math.Abs(float64(v) * float64(weights[i]))
		}
		return sum, size
	}
	_, size := loss()
	for i, wanted := range f.op.(gorgonia.SDOp).DiffWRT(len(f.inputs)) {
		if (grads[i] != nil) != wanted {
			t.Fatalf("input %d: differentiable %v, gradient %v", i, wanted, grads[i])
		}
		for j := range grads[i] {
			fine, coarse := stencil(loss, &f.inputs[i].v[j], width), stencil(loss, &f.inputs[i].v[j], 2*width)
			got := float64(grads[i][j])
			truncation := math.Abs(fine - coarse)
			if truncation > 0.02*(1+math.Abs(got)) {
				t.Fatalf("input %d value %d: differences %v and %v: not a smooth point", i, j, fine, coarse)
			}
			tolerance := 1.5*size/(1<<24)/width + truncation + math.Abs(got)/(1<<20)
			if d := math.Abs(got - fine); !(d <= tolerance) {
				t.Errorf("input %d value %d: gradient %v, central difference %v, tolerance %v", i, j, got, fine, tolerance)
			}
		}
	}
}

func stencil(f func() (float64, float64), x *float32, h float32) float64 {
	at := *x
	defer func() { *x = at }()
	value := func(d float32) float64 {
		*x = at + d
		v, _ := f()
		return v
	}
	return (8*(value(h)-value(-h)) - (value(2*h) - value(-2*h))) / (12 * float64(h))
}

func (a array) value() gorgonia.Value {
	if len(a.s) == 0 {
		return gorgonia.NewF32(a.v[0])
	}
	return tensor.New(tensor.WithShape(a.s...), tensor.WithBacking(a.v))
}

func (f fixture) forward(t *testing.T) []float32 {
	var in []gorgonia.Value
	for _, a := range f.inputs {
		in = append(in, a.value())
	}
	v, err := f.op.Do(in...)
	if err != nil {
		t.Fatal(err)
	}
	return floats(v)
}

func floats(v gorgonia.Value) []float32 {
	if s, ok := v.Data().(float32); ok {
		return []float32{s}
	}
	return v.Data().([]float32)
}

// symbolic evaluates the nodes that SymDiff makes, the output's gradient being
// weights; nil where there is no gradient.
func (f fixture) symbolic(t *testing.T, weights []float32) [][]float32 {
	g := gorgonia.NewGraph()
	values := map[*gorgonia.Node]gorgonia.Value{}
	input := func(name string, a array) *gorgonia.Node {
		n := gorgonia.NewTensor(g, tensor.Float32, len(a.s), gorgonia.WithShape(a.s...), gorgonia.WithName(name))
		if len(a.s) == 0 {
			n = gorgonia.NewScalar(g, tensor.Float32, gorgonia.WithName(name))
		}
		values[n] = a.value()
		return n
	}
	var in gorgonia.Nodes
	for i, a := range f.inputs {
		in = append(in, input(fmt.Sprint("in", i), a))
	}
	y, err := Apply(f.op, in...)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := f.op.(gorgonia.SDOp).SymDiff(in, y, input("dy", array{y.Shape(), weights}))
	if err != nil {
		t.Fatal(err)
	}
	grads := make([][]float32, len(nodes))
	for i, n := range nodes {
		if n != nil {
			grads[i] = floats(evaluate(t, n, values))
			if !equal(n.Shape(), in[i].Shape()) {
				t.Fatalf("input %d: shape %v, gradient %v", i, in[i].Shape(), n.Shape())
			}
		}
	}
	return grads
}

func evaluate(t *testing.T, n *gorgonia.Node, values map[*gorgonia.Node]gorgonia.Value) gorgonia.Value {
	if v, ok := values[n]; ok {
		return v
	}
	var in []gorgonia.Value
	for it := n.Graph().From(n.ID()); it.Next(); {
		in = append(in, evaluate(t, it.Node().(*gorgonia.Node), values))
	}
	v, err := n.Op().Do(in...)
	if err != nil {
		t.Fatal(err)
	}
	values[n] = v
	return v
}

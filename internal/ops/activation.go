package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
	"moncae/internal/philox"
)

func (Activation) ranks() []int     { return []int{4, 4} }
func (ActivationGrad) ranks() []int { return []int{4, 4, 4, 4} }
func (Dropout) ranks() []int        { return []int{4, 0, 4} }
func (DropoutGrad) ranks() []int    { return []int{4, 0, 4} }
func (Noise) ranks() []int          { return []int{4, 0, 4} }
func (Add) ranks() []int            { return []int{4, 4, 4} }

func (o Activation) shape(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), known(o.F)
}

func (o ActivationGrad) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := known(o.F); err != nil {
		return nil, err
	}
	return same(in, 1, 2)
}

func (o Dropout) shape(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), checkRate(o.Rate)
}

func (o DropoutGrad) shape(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), checkRate(o.Rate)
}

func (o Noise) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !(o.Sigma > 0) || math.IsInf(o.Sigma, 0) {
		return nil, fmt.Errorf("sigma %v is not a number above 0", o.Sigma)
	}
	return in[0].Clone(), nil
}

func (o Add) shape(in []tensor.Shape) (tensor.Shape, error) { return same(in, 1) }

func known(f arch.Activation) error {
	switch f {
	case arch.ReLU, arch.Sigmoid, arch.LeakyReLU, arch.ELU, arch.SiLU:
		return nil
	}
	return fmt.Errorf("activation %q is unknown", f)
}

func checkRate(rate float64) error {
	if !(rate >= 0 && rate < 1) {
		return fmt.Errorf("rate %v is not in [0, 1)", rate)
	}
	return nil
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func activate(f arch.Activation, x float64) float64 {
	switch f {
	case arch.Sigmoid:
		return sigmoid(x)
	case arch.LeakyReLU:
		return max(x, arch.LeakySlope*x)
	case arch.ELU:
		if x > 0 {
			return x
		}
		return math.Expm1(x)
	case arch.SiLU:
		return x * sigmoid(x)
	}
	return max(x, 0)
}

// slope is f's derivative at x, where y = f(x).
func slope(f arch.Activation, x, y float64) float64 {
	switch f {
	case arch.Sigmoid:
		return y * (1 - y)
	case arch.SiLU:
		return sigmoid(x) * (1 + x*(1-sigmoid(x)))
	}
	if y > 0 {
		return 1
	}
	switch f {
	case arch.LeakyReLU:
		return arch.LeakySlope
	case arch.ELU:
		return y + 1
	}
	return 0
}

func (o Activation) run(in []array, y array) {
	for i, v := range in[0].v {
		y.v[i] = float32(activate(o.F, float64(v)))
	}
}

func (o ActivationGrad) run(in []array, dx array) {
	x, y := in[0].v, in[1].v
	for i, g := range in[2].v {
		dx.v[i] = float32(float64(g) * slope(o.F, float64(x[i]), float64(y[i])))
	}
}

func (o Dropout) run(in []array, y array) {
	mask := philox.Mask{Seed: o.Seed, Layer: o.Layer, Step: uint64(in[1].v[0]), Rate: o.Rate}
	mask.Apply(y.v, in[0].v)
}

func (o DropoutGrad) run(in []array, dx array) { Dropout(o).run(in, dx) }

func (o Noise) run(in []array, y array) {
	noise := philox.Noise{Seed: o.Seed, Layer: o.Layer, Step: uint64(in[1].v[0]), Sigma: o.Sigma}
	noise.Apply(y.v, in[0].v)
}

func (o Add) run(in []array, y array) {
	for i, v := range in[0].v {
		y.v[i] = v + in[1].v[i]
	}
}

// DiffWRT tells which inputs have a gradient.
func (o Activation) DiffWRT(int) []bool { return []bool{true} }

// SymDiff makes the gradient of x.
func (o Activation) SymDiff(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(ActivationGrad(o), in[0], y, dy)
	return gorgonia.Nodes{dx}, err
}

// DiffWRT tells which inputs have a gradient: the step has none.
func (o Dropout) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff makes the gradient of x.
func (o Dropout) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(DropoutGrad(o), dy, in[1])
	return gorgonia.Nodes{dx, nil}, err
}

// DiffWRT tells which inputs have a gradient.
func (o Add) DiffWRT(int) []bool { return []bool{true, true} }

// SymDiff passes the gradient on to both inputs.
func (o Add) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dy, dy}, nil
}

// DiffWRT tells which inputs have a gradient: images need none.
func (o Noise) DiffWRT(int) []bool { return []bool{false, false} }

// SymDiff makes no gradients.
func (o Noise) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{nil, nil}, nil
}

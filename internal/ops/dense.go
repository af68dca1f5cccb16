package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func (Dense) ranks() []int           { return []int{4, 2, 1, 4} }
func (DenseGradInput) ranks() []int  { return []int{2, 4, 4} }
func (DenseGradWeight) ranks() []int { return []int{4, 4, 2} }

func (o Dense) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w, b := in[0], in[1], in[2]
	if w[1] != x[1]*x[2]*x[3] {
		return nil, fmt.Errorf("weights %v for an input %v: they take %d values, it has %d", w, x, w[1], x[1]*x[2]*x[3])
	}
	if b[0] != w[0] {
		return nil, fmt.Errorf("%d biases for %d outputs", b[0], w[0])
	}
	return tensor.Shape{x[0], w[0], 1, 1}, nil
}

func (o DenseGradInput) shape(in []tensor.Shape) (tensor.Shape, error) {
	w, dy := in[0], in[1]
	x := tensor.Shape{o.X[0], o.X[1], o.X[2], o.X[3]}
	if w[1] != x[1]*x[2]*x[3] {
		return nil, fmt.Errorf("weights %v for an input %v", w, x)
	}
	if y := (tensor.Shape{x[0], w[0], 1, 1}); !equal(y, dy) {
		return nil, fmt.Errorf("gradient %v, the output's shape is %v", dy, y)
	}
	return x, nil
}

func (o DenseGradWeight) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, dy := in[0], in[1]
	if y := (tensor.Shape{x[0], dy[1], 1, 1}); !equal(y, dy) {
		return nil, fmt.Errorf("gradient %v, the output's shape is %v", dy, y)
	}
	return tensor.Shape{dy[1], x[1] * x[2] * x[3]}, nil
}

func (o Dense) run(in []array, y array) {
	x, w, b := in[0], in[1], in[2]
	outputs, inputs := w.s[0], w.s[1]
	for n := range x.s[0] {
		image := x.v[n*inputs : (n+1)*inputs]
		for f := range outputs {
			sum := float64(b.v[f])
			for i, wt := range w.v[f*inputs : (f+1)*inputs] {
				sum += float64(wt) * float64(image[i])
			}
			y.v[n*outputs+f] = float32(sum)
		}
	}
}

func (o DenseGradInput) run(in []array, dx array) {
	w, dy := in[0], in[1]
	outputs, inputs := w.s[0], w.s[1]
	sum := make([]float64, inputs)
	for n := range dx.s[0] {
		clear(sum)
		for f := range outputs {
			g := float64(dy.v[n*outputs+f])
			for i, wt := range w.v[f*inputs : (f+1)*inputs] {
				sum[i] += g * float64(wt)
			}
		}
		store(dx.v[n*inputs:(n+1)*inputs], sum)
	}
}

func (o DenseGradWeight) run(in []array, dw array) {
	x, dy := in[0], in[1]
	outputs, inputs := dw.s[0], dw.s[1]
	sum := make([]float64, inputs)
	for f := range outputs {
		clear(sum)
		for n := range x.s[0] {
			g := float64(dy.v[n*outputs+f])
			for i, v := range x.v[n*inputs : (n+1)*inputs] {
				sum[i] += g * float64(v)
			}
		}
		store(dw.v[f*inputs:(f+1)*inputs], sum)
	}
}

// DiffWRT tells which inputs have a gradient.
func (o Dense) DiffWRT(int) []bool { return []bool{true, true, true} }

// SymDiff makes the weights' gradient first, as Conv2D does.
func (o Dense) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var g gradients
	dw := g.apply(DenseGradWeight{}, in[0], dy)
	db := g.apply(ChannelSum{DenseBias}, dy)
	dx := g.apply(DenseGradInput{shape4(in[0])}, in[1], dy)
	return gorgonia.Nodes{dx, dw, db}, g.err
}

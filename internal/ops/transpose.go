package ops

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func (ConvTranspose2D) ranks() []int           { return []int{4, 4, 1, 4} }
func (ConvTranspose2DGradInput) ranks() []int  { return []int{4, 4, 4} }
func (ConvTranspose2DGradWeight) ranks() []int { return []int{4, 4, 4} }

// back is the convolution's way back that the transposed one is.
func (o ConvTranspose2D) back(x, w tensor.Shape) Conv2DGradInput {
	return Conv2DGradInput{Kernel: o.Kernel, Stride: 2, X: [4]int{x[0], w[1], o.H, o.W}}
}

func (o ConvTranspose2D) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w, b := in[0], in[1], in[2]
	if err := biases(b, w[1]); err != nil {
		return nil, err
	}
	return o.back(x, w).shape([]tensor.Shape{w, x})
}

func (o ConvTranspose2DGradInput) shape(in []tensor.Shape) (tensor.Shape, error) {
	w, dy := in[0], in[1]
	return Conv2D{o.Kernel, 2}.shape([]tensor.Shape{dy, w, {w[0]}})
}

func (o ConvTranspose2DGradWeight) shape(in []tensor.Shape) (tensor.Shape, error) {
	return Conv2DGradWeight{o.Kernel, 2}.shape([]tensor.Shape{in[1], in[0]})
}

func (o ConvTranspose2D) run(in []array, y array) {
	o.back(in[0].s, in[1].s).run([]array{in[1], in[0]}, y)
	for n := range y.s[0] {
		for c, b := range in[2].v {
			plane := y.plane(n, c)
			for i := range plane {
				plane[i] += b
			}
		}
	}
}

func (o ConvTranspose2DGradInput) run(in []array, dx array) {
	none := array{tensor.Shape{dx.s[1]}, make([]float32, dx.s[1])}
	Conv2D{o.Kernel, 2}.run([]array{in[1], in[0], none}, dx)
}

func (o ConvTranspose2DGradWeight) run(in []array, dw array) {
	Conv2DGradWeight{o.Kernel, 2}.run([]array{in[1], in[0]}, dw)
}

// DiffWRT tells which inputs have a gradient.
func (o ConvTranspose2D) DiffWRT(int) []bool { return []bool{true, true, true} }

// SymDiff makes the weights' gradient first, as Conv2D's does.
func (o ConvTranspose2D) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var g gradients
	dw := g.apply(ConvTranspose2DGradWeight{o.Kernel}, in[0], dy)
	db := g.apply(ChannelSum{ConvBias}, dy)
	dx := g.apply(ConvTranspose2DGradInput{o.Kernel}, in[1], dy)
	return gorgonia.Nodes{dx, dw, db}, g.err
}

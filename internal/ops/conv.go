package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func (Conv2D) ranks() []int           { return []int{4, 4, 1, 4} }
func (Conv2DGradInput) ranks() []int  { return []int{4, 4, 4} }
func (Conv2DGradWeight) ranks() []int { return []int{4, 4, 4} }
func (ChannelSum) ranks() []int       { return []int{4, 1} }

func (o Conv2D) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w, b := in[0], in[1], in[2]
	if err := checkKernel(o.Kernel, o.Stride, w); err != nil {
		return nil, err
	}
	if w[1] != x[1] {
		return nil, fmt.Errorf("weights %v for an input %v: they take %d channels, it has %d", w, x, w[1], x[1])
	}
	if err := biases(b, w[0]); err != nil {
		return nil, err
	}
	return convolved(x, w[0], o.Stride), nil
}

func biases(b tensor.Shape, filters int) error {
	if b[0] != filters {
		return fmt.Errorf("%d biases for %d filters", b[0], filters)
	}
	return nil
}

func (o Conv2DGradInput) shape(in []tensor.Shape) (tensor.Shape, error) {
	w, dy := in[0], in[1]
	x := tensor.Shape{o.X[0], o.X[1], o.X[2], o.X[3]}
	if err := checkKernel(o.Kernel, o.Stride, w); err != nil {
		return nil, err
	}
	if w[1] != x[1] {
		return nil, fmt.Errorf("weights %v for an input %v: they take %d channels, it has %d", w, x, w[1], x[1])
	}
	if y := convolved(x, w[0], o.Stride); !equal(y, dy) {
		return nil, fmt.Errorf("gradient %v, the output's shape is %v", dy, y)
	}
	return x, nil
}

func (o Conv2DGradWeight) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, dy := in[0], in[1]
	w := tensor.Shape{dy[1], x[1], o.Kernel, o.Kernel}
	if err := checkKernel(o.Kernel, o.Stride, w); err != nil {
		return nil, err
	}
	if y := convolved(x, dy[1], o.Stride); !equal(y, dy) {
		return nil, fmt.Errorf("gradient %v, the output's shape is %v", dy, y)
	}
	return w, nil
}

func (o ChannelSum) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][1]}, nil
}

func checkKernel(kernel, stride int, w tensor.Shape) error {
	if kernel < 1 || kernel%2 == 0 || stride < 1 {
		return fmt.Errorf("kernel %d with stride %d: a kernel is odd, a stride at least 1", kernel, stride)
	}
	if w[2] != kernel || w[3] != kernel {
		return fmt.Errorf("weights %v for a kernel of %d×%d", w, kernel, kernel)
	}
	return nil
}

func convolved(x tensor.Shape, filters, stride int) tensor.Shape {
	return tensor.Shape{x[0], filters, (x[2] + stride - 1) / stride, (x[3] + stride - 1) / stride}
}

// axis is one side of a convolution: output i meets input i·stride + k − pad at
// kernel position k.
type axis struct{ in, out, stride, pad int }

// span is the range of outputs whose input at kernel position k is not padding,
// and the input that the first of them meets.
func (a axis) span(k int) (from, to, first int) {
	if k < a.pad {
		from = (a.pad - k + a.stride - 1) / a.stride
	}
	to = min(a.out, (a.in-1+a.pad-k+a.stride)/a.stride)
	return from, max(from, to), from*a.stride + k - a.pad
}

// sweep calls row for every kernel position and output row that meet the image:
// at holds the kernel position kh·kernel + kw, y0 and x0 where the rows start in
// an output and an input plane, and n the number of outputs.
func sweep(kernel, stride int, x, y tensor.Shape, row func(at, y0, x0, n int)) {
	rows := axis{x[2], y[2], stride, kernel / 2}
	cols := axis{x[3], y[3], stride, kernel / 2}
	for kh := range kernel {
		top, bottom, ih := rows.span(kh)
		for kw := range kernel {
			left, right, iw := cols.span(kw)
			if right == left {
				continue
			}
			for r := top; r < bottom; r++ {
				row(kh*kernel+kw, r*y[3]+left, (ih+(r-top)*stride)*x[3]+iw, right-left)
			}
		}
	}
}

// gather adds w·x to sum, where sum[i] meets x[i·stride]. Here and below the
// loop without a stride is what compilers are good at.
func gather(sum []float64, w float64, x []float32, stride int) {
	if stride == 1 {
		for i, v := range x[:len(sum)] {
			sum[i] += w * float64(v)
		}
		return
	}
	for i := range sum {
		sum[i] += w * float64(x[i*stride])
	}
}

// scatter adds w·g to sum, where g[i] meets sum[i·stride].
func scatter(sum []float64, w float64, g []float32, stride int) {
	if stride == 1 {
		sum = sum[:len(g)]
		for i, v := range g {
			sum[i] += w * float64(v)
		}
		return
	}
	for i, v := range g {
		sum[i*stride] += w * float64(v)
	}
}

// product is the sum of g[i]·x[i·stride].
func product(g, x []float32, stride int) (sum float64) {
	if stride == 1 {
		x = x[:len(g)]
		for i, v := range g {
			sum += float64(v) * float64(x[i])
		}
		return sum
	}
	for i, v := range g {
		sum += float64(v) * float64(x[i*stride])
	}
	return sum
}

func (o Conv2D) run(in []array, y array) {
	x, w, b := in[0], in[1], in[2]
	sum := make([]float64, y.s[2]*y.s[3])
	for n := range y.s[0] {
		for f := range y.s[1] {
			for i := range sum {
				sum[i] = float64(b.v[f])
			}
			for c := range x.s[1] {
				image, weights := x.plane(n, c), w.plane(f, c)
				sweep(o.Kernel, o.Stride, x.s, y.s, func(at, y0, x0, n int) {
					gather(sum[y0:y0+n], float64(weights[at]), image[x0:], o.Stride)
				})
			}
			store(y.plane(n, f), sum)
		}
	}
}

func (o Conv2DGradInput) run(in []array, dx array) {
	w, dy := in[0], in[1]
	sum := make([]float64, dx.s[2]*dx.s[3])
	for n := range dx.s[0] {
		for c := range dx.s[1] {
			clear(sum)
			for f := range dy.s[1] {
				grad, weights := dy.plane(n, f), w.plane(f, c)
				sweep(o.Kernel, o.Stride, dx.s, dy.s, func(at, y0, x0, n int) {
					scatter(sum[x0:], float64(weights[at]), grad[y0:y0+n], o.Stride)
				})
			}
			store(dx.plane(n, c), sum)
		}
	}
}

func (o Conv2DGradWeight) run(in []array, dw array) {
	x, dy := in[0], in[1]
	sum := make([]float64, o.Kernel*o.Kernel)
	for f := range dy.s[1] {
		for c := range x.s[1] {
			clear(sum)
			for n := range x.s[0] {
				image, grad := x.plane(n, c), dy.plane(n, f)
				sweep(o.Kernel, o.Stride, x.s, dy.s, func(at, y0, x0, n int) {
					sum[at] += product(grad[y0:y0+n], image[x0:], o.Stride)
				})
			}
			store(dw.plane(f, c), sum)
		}
	}
}

func (o ChannelSum) run(in []array, y array) {
	for c := range y.v {
		sum := 0.0
		for n := range in[0].s[0] {
			for _, v := range in[0].plane(n, c) {
				sum += float64(v)
			}
		}
		y.v[c] = float32(sum)
	}
}

func store(y []float32, sum []float64) {
	for i, v := range sum {
		y[i] = float32(v)
	}
}

// DiffWRT tells which inputs have a gradient.
func (o Conv2D) DiffWRT(int) []bool { return []bool{true, true, true} }

// SymDiff makes the weights' gradient first: in the order of nodes the input
// can die before its own gradient is born.
func (o Conv2D) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var g gradients
	dw := g.apply(Conv2DGradWeight(o), in[0], dy)
	db := g.apply(ChannelSum{ConvBias}, dy)
	dx := g.apply(Conv2DGradInput{o.Kernel, o.Stride, shape4(in[0])}, in[1], dy)
	return gorgonia.Nodes{dx, dw, db}, g.err
}

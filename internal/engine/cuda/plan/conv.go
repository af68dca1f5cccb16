package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// geometry of a convolution with kernel k; k 0 is a dense layer, a convolution
// of one pixel with all values of x as its channels.
func geometry(x, y value, k, stride int) Geometry {
	if k == 0 {
		return Geometry{N: x.n, H: 1, W: 1, C: x.h * x.w * x.c, YH: 1, YW: 1, O: y.c, Kernel: 1, Stride: 1}
	}
	return Geometry{N: x.n, H: x.h, W: x.w, C: x.c, YH: y.h, YW: y.w, O: y.c, Kernel: k, Stride: stride}
}

// between is the convolution of a kind that makes one value of another: a forward one, or
// an input gradient.
func between(kind Kind, from, to value, kernel, stride int) Conv {
	x, y := from, to
	if kind == InputGrad {
		x, y = to, from
	}
	return Conv{Problem: Problem{Kind: kind, Geometry: geometry(x, y, kernel, stride)}, Input: x.ref, Output: y.ref}
}

// ends are the places that such a convolution reads and writes.
func (c *Conv) ends() (from, to *Ref) {
	if c.Kind == InputGrad {
		return &c.Output, &c.Input
	}
	return &c.Input, &c.Output
}

// forward lowers a convolution with its bias and the activation after it: a transposed one,
// which is the input gradient of a convolution from its output to its input, by that kind.
func (l *lowering) forward(n *gorgonia.Node, in gorgonia.Nodes, kind Kind, kernel, stride int) {
	out, f := n, arch.Activation("")
	if next, op, ok := lower.Sole[ops.Activation](l.Graph, n); ok && (op.F != arch.SiLU || !l.training) {
		out, f = next, op.F
		l.fused[next] = true
	}
	x, y := l.of(in[0], l.half), l.create(out)
	bias := l.param(in[2])
	c := between(kind, x, y, kernel, stride)
	if l.choose(&c, x.half, y.half) {
		c.Weight = l.weight(in[1], x.half)
		l.convolve(c, out, y, bias, lower.Activation(f))
		return
	}
	l.own(c, l.param(in[1]), bias, lower.Activation(f), pair(x.half, y.half))
}

// convolve has cuDNN compute a layer, whose bias and activation come after it: with the
// sums of the batch norm that follows, if one does, which reads the first row while others
// are written.
func (l *lowering) convolve(c Conv, out *gorgonia.Node, y value, bias Ref, f int32) {
	g := l.Norms[out]
	if g == nil {
		l.emit(c)
		l.over(y.total(), "bias_activate"+suffix(y.half), y.ref, bias, f, int32(y.c), y.count())
		return
	}
	raw := y
	raw.ref = l.scratch(y.total() * y.bytes())
	_, to := c.ends()
	*to = raw.ref
	l.emit(c)
	l.norms[g].sums = l.sumValues(raw, bias, y.ref, f)
}

// inputGrad lowers the gradient of what a convolution read, which of a transposed one is of
// the kind Forward.
func (l *lowering) inputGrad(n *gorgonia.Node, in gorgonia.Nodes, kind Kind, kernel, stride int) {
	dy, dx := l.values[in[1]], l.create(n)
	c := between(kind, dy, dx, kernel, stride)
	if l.choose(&c, dy.half, dx.half) {
		c.Weight = l.weight(in[0], dy.half)
		l.emit(c)
		return
	}
	l.own(c, l.param(in[0]), Ref{In: Null}, 0, pair(dy.half, dx.half))
}

func (l *lowering) weightGrad(n *gorgonia.Node, x, dy value, kernel, stride int) {
	c := Conv{Problem: Problem{Kind: WeightGrad, Geometry: geometry(x, dy, kernel, stride)}, Input: x.ref, Output: dy.ref}
	dw := l.gradient(n)
	if !l.choose(&c, x.half, dy.half) {
		l.ownWeightGrad(c, dw, pair(x.half, dy.half))
		return
	}
	c.Weight = dw
	if x.half {
		c.Weight = Ref{In: HalfGrad, Offset: dw.Offset / 2}
	}
	l.emit(c)
	if x.half {
		l.later(Sum{From: c.Weight, To: dw, Parts: 1, Width: c.O * c.Kernel * c.Kernel * c.C, Half: true})
	}
}

// choose tells whether cuDNN computes c, and how. Few channels are ours: there
// cuDNN's matrix tiles are mostly empty.
func (l *lowering) choose(c *Conv, from, to bool) bool {
	if l.options.CuDNN == nil || from != to || min(c.C, c.O) <= 4 || max(c.C, c.O) <= 8 {
		return false
	}
	c.Half = from
	c.Exact = !c.Half && (!l.training || !l.options.TF32)
	var ok bool
	if c.Bytes, ok = l.options.CuDNN.Choose(c.Problem); !ok {
		return false
	}
	c.Workspace = Ref{In: Null}
	if c.Bytes > 0 {
		c.Workspace = l.scratch(c.Bytes)
	}
	return true
}

// pair names the types of what a convolution reads and writes.
func pair(from, to bool) string { return suffix(from) + suffix(to) }

// side is that of a matrix product's tiles; half of it is enough for some channels.
const side = 64

// sumsAThread are of a matrix product.
const sumsAThread = 16

// product is the matrix product for so many output channels, and how many of them a tile
// has: half of a side where half of the last tile would be empty, unless they are so many
// that reading the image for twice as many tiles costs more.
func product(out int) (kernel string, channels int) {
	if out < 3*side && (out-1)%side < side/2 {
		return "conv_gemm_64x32", side / 2
	}
	return "conv_gemm_64x64", side
}

// own launches our kernel for a forward convolution, or for an input gradient,
// which is the same loop turned: dy is read, dx written.
func (l *lowering) own(c Conv, weight, bias Ref, f int32, types string) {
	read, write := c.ends()
	h, w, in, ho, wo, out, turned := c.H, c.W, c.C, c.YH, c.YW, c.O, int32(0)
	if c.Kind == InputGrad {
		h, w, in, ho, wo, out, turned = ho, wo, out, h, w, in, 1
	}
	launch := Launch{Block: threads, Args: []any{*read, weight, bias, *write, f}, MACs: c.MACs()}
	if t, ok := narrowForward(c.N, ho, wo, in, out, c.Kernel, c.Stride, turned != 0); ok {
		if t.flat {
			c.N, h, w, ho, wo = 1, 1, c.N*h*w, 1, c.N*ho*wo
		}
		launch.Kernel, launch.Grid = t.kernel+types, [3]int{t.tiles, 1, 1}
		launch.Args = append(launch.Args, int32(c.N), int32(h), int32(w), int32(in), int32(ho), int32(wo), int32(out), int32(c.Kernel), int32(c.Stride), turned,
			int32(t.height), int32(t.width), int32(t.bits))
		if t.outBits > 0 {
			launch.Grid[1] = ceilDiv(out, 1<<t.outBits)
			launch.Args = append(launch.Args, int32(t.outBits))
		}
		l.emit(launch)
		return
	}
	kernel, channels := product(out)
	launch.Kernel, launch.Grid = kernel+types, [3]int{ceilDiv(c.N*ho*wo, side), ceilDiv(out, channels), 1}
	launch.Block = side * channels / sumsAThread
	launch.Args = append(launch.Args, int32(c.N), int32(h), int32(w), int32(in), int32(ho), int32(wo), int32(out), int32(c.Kernel), int32(c.Stride), turned)
	l.emit(launch)
}

func (l *lowering) ownWeightGrad(c Conv, dw Ref, types string) {
	taps := c.Kernel * c.Kernel * c.C
	if t, ok := narrowWeight(c.Geometry); ok {
		l.narrowWeightGrad(c, t, dw, types)
		return
	}
	tiles := ceilDiv(c.O, side) * ceilDiv(taps, side)
	pixels := c.N * c.YH * c.YW
	chunk := max(ceilDiv(pixels, max(512/tiles, 1)), 256)
	parts := ceilDiv(pixels, chunk)
	l.inParts(dw, parts, c.O*taps, func(to Ref) {
		l.emit(Launch{Kernel: "conv_weight_64x64" + types, Grid: [3]int{ceilDiv(taps, side), ceilDiv(c.O, side), parts}, Block: threads, MACs: c.MACs(), Args: []any{
			c.Input, c.Output, to,
			int32(c.N), int32(c.H), int32(c.W), int32(c.C), int32(c.YH), int32(c.YW), int32(c.O), int32(c.Kernel), int32(c.Stride), int32(chunk)}})
	})
}

// inParts has a weight's gradient computed in parts, which are added; one needs no sum.
func (l *lowering) inParts(dw Ref, parts, width int, launch func(to Ref)) {
	if parts == 1 {
		launch(dw)
		return
	}
	part := l.scratch(int64(parts) * int64(width) * 4)
	launch(part)
	l.later(Sum{From: part, To: dw, Parts: parts, Width: width})
}

func (l *lowering) param(n *gorgonia.Node) Ref { return l.layout.at(Params, l.name(n)) }

func (l *lowering) name(n *gorgonia.Node) string {
	name, ok := l.Param(n)
	if !ok {
		panic("plan: no parameter is " + n.String())
	}
	return name
}

// weight is a weight as cuDNN reads it.
func (l *lowering) weight(n *gorgonia.Node, half bool) Ref {
	if half {
		return l.layout.at(HalfParam, l.name(n))
	}
	return l.param(n)
}

// gradient is the place of the parameter's gradient that n computes.
func (l *lowering) gradient(n *gorgonia.Node) Ref {
	name, ok := l.Grad(n)
	if !ok {
		panic("plan: no parameter has the gradient " + n.String())
	}
	return l.layout.at(Grads, name)
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

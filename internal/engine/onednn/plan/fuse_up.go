package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// A convolution over an upsampled image is four small convolutions over the
// image itself, one for each parity of row and column, with kernels of (k+1)/2 a
// side; see steps_up.cpp. absorbs tells whether the upsampling r is taken into
// the convolution that follows: that is all that uses it, its sides are even (a
// cut-off row would stand where the convolution pads with zeros), and the
// channels are enough to be worth four calls and a copy.
func (b *builder) absorbs(r *gorgonia.Node) bool {
	op, ok := r.Op().(ops.Upsample2)
	if !ok || op.H%2 != 0 || op.W%2 != 0 || b.Kept(r) {
		return false
	}
	conv := b.User(r, isConv)
	if conv == nil || !b.worthPhases(r, conv) {
		return false
	}
	for _, u := range b.Users(r) {
		if _, grad := u.Op().(ops.Conv2DGradWeight); u != conv && !grad {
			return false
		}
	}
	return true
}

func isConv(o gorgonia.Op) bool {
	_, ok := o.(ops.Conv2D)
	return ok
}

const (
	fewChannels = 3   // the project's own kernels take sides of so few channels
	manyPairs   = 256 // input channels times filters
)

func (b *builder) worthPhases(r, conv *gorgonia.Node) bool {
	op := conv.Op().(ops.Conv2D)
	in, out := r.Shape()[1], conv.Shape()[1]
	enough := out <= fewChannels && op.Kernel <= 7 || in*out >= manyPairs
	return op.Kernel >= 3 && op.Stride == 1 && in > fewChannels && enough
}

// source is what a linear layer reads: its input, or what that was upsampled from.
func (b *builder) source(x *gorgonia.Node) (from *gorgonia.Node, upsampled bool) {
	if b.absorbs(x) {
		return b.In(x)[0], true
	}
	return x, false
}

// phases makes the tensor of y's four phases.
func (b *builder) phases(y *gorgonia.Node, width int) int32 {
	s := y.Shape()
	return b.newTensor(Tensor{N: 4 * s[0], C: s[1], H: s[2] / 2, W: s[3] / 2, Width: width})
}

// upGrad completes the gradient of an absorbed upsampling's convolution: the way
// back through both is part of the step.
func (b *builder) upGrad(s *Step, n *gorgonia.Node) {
	dy := b.In(n)[1]
	s.Kind, s.Aux = UpConvGrad, b.phases(dy, b.real())
	for _, u := range b.Users(dy) {
		if _, ok := u.Op().(ops.Conv2DGradInput); !ok {
			continue
		}
		up, _, ok := lower.Sole[ops.Upsample2Grad](b.Graph, u)
		if !ok {
			continue
		}
		b.done[u], b.done[up] = true, true
		s.DX = b.set(up)
		if dy.Shape()[1] <= fewChannels {
			continue // one pass, without parts
		}
		t := b.tensors[s.DX]
		t.N *= 4
		s.X2 = b.newTensor(t)
	}
}

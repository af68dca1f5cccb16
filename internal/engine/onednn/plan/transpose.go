package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// A transposed convolution is a convolution of stride 2 with its passes exchanged: the way
// back to its input is the forward pass, and the other way round.

// transpose leaves the bias to the norm that follows, or adds it in one pass with the
// activation that follows.
func (b *builder) transpose(n *gorgonia.Node, op ops.ConvTranspose2D) error {
	k := b.In(n)
	s, err := b.linearStep(ConvGradInput, op.Kernel, 2, k[1], nil)
	if err != nil {
		return err
	}
	s.Transposed = true
	if s.DY, err = b.at(k[0]); err != nil {
		return err
	}
	bias, err := b.param(k[2])
	if err != nil {
		return err
	}
	s.DX = b.set(n)
	b.add(s)
	if b.normed(n) {
		b.biases[n] = bias
		return nil
	}
	p := newStep(Point)
	p.X, p.Y, p.Bias = s.DX, s.DX, bias
	if a, op, ok := lower.Sole[ops.Activation](b.Graph, n); ok && !(b.training && op.F == arch.SiLU) {
		p.Act, b.done[a], b.value[a] = lower.Activation(op.F), true, s.DX
	}
	b.add(p)
	return nil
}

// normed tells whether n is read by one batch norm and its way back alone.
func (b *builder) normed(n *gorgonia.Node) bool {
	for _, u := range b.Users(n) {
		switch u.Op().(type) {
		case ops.BatchNorm, ops.BatchMean, ops.BatchVariance, ops.BatchNormGradInput, ops.BatchNormGradGamma, ops.Normalize:
		default:
			return false
		}
	}
	return len(b.Users(n)) > 0 && !b.Kept(n)
}

func (b *builder) transposeGradInput(n *gorgonia.Node, op ops.ConvTranspose2DGradInput) error {
	k := b.In(n)
	s, err := b.linearStep(Conv, op.Kernel, 2, k[0], nil)
	if err != nil {
		return err
	}
	s.Transposed = true
	if s.X, err = b.at(k[1]); err != nil {
		return err
	}
	s.Y = b.set(n)
	b.add(s)
	return nil
}

func (b *builder) transposeGradWeight(n *gorgonia.Node, op ops.ConvTranspose2DGradWeight) error {
	s, sum := newStep(ConvGradWeight), newStep(BiasGrad)
	s.Kernel, s.Stride, s.Transposed = int32(op.Kernel), 2, true
	x, dy := b.In(n)[0], b.In(n)[1]
	var err error
	if s.DY, err = b.at(x); err != nil {
		return err
	}
	if s.X, err = b.at(dy); err != nil {
		return err
	}
	if s.Weight, err = b.grad(n); err != nil {
		return err
	}
	sum.DY = s.X
	if sum.Bias, err = b.gradBias(dy, ops.ConvBias); err != nil {
		return err
	}
	b.add(s)
	b.add(sum)
	return nil
}

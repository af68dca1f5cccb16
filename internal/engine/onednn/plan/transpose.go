package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/ops"
)

// A transposed convolution is a convolution of stride 2 with its passes exchanged: the way
// back to its input is the forward pass, and the other way round.

// exchanged lowers the pass from a value to n by the step of a convolution, Conv or
// ConvGradInput, that does it, without a bias.
func (b *builder) exchanged(n *gorgonia.Node, kind Kind, kernel int, from, weight *gorgonia.Node) error {
	s, err := b.linearStep(kind, kernel, 2, weight, nil)
	if err != nil {
		return err
	}
	read, written := &s.X, &s.Y
	if kind == ConvGradInput {
		read, written = &s.DY, &s.DX
	}
	if *read, err = b.at(from); err != nil {
		return err
	}
	*written, s.Transposed = b.set(n), true
	b.add(s)
	return nil
}

// transpose leaves the bias to the norm that follows, or adds it in one pass with the
// activation that follows.
func (b *builder) transpose(n *gorgonia.Node, op ops.ConvTranspose2D) error {
	k := b.In(n)
	bias, err := b.param(k[2])
	if err != nil {
		return err
	}
	if err := b.exchanged(n, ConvGradInput, op.Kernel, k[0], k[1]); err != nil {
		return err
	}
	if b.normed(n) {
		b.biases[n] = bias
		return nil
	}
	p := newStep(Point)
	p.X, p.Y, p.Bias = b.value[n], b.value[n], bias
	if a, act := b.next(n); a != nil {
		p.Act, b.done[a], b.value[a] = act, true, p.Y
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

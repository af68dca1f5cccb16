package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/ops"
)

// node lowers n, and with it the nodes that fuse with it.
func (b *builder) node(n *gorgonia.Node) error {
	switch op := n.Op().(type) {
	case ops.Conv2D:
		return b.linear(n, Conv, op.Kernel, op.Stride)
	case ops.Dense:
		return b.linear(n, Dense, 0, 0)
	case ops.Conv2DGradWeight:
		return b.gradWeight(n, ConvGradWeight, op.Kernel, op.Stride)
	case ops.DenseGradWeight:
		return b.gradWeight(n, DenseGradWeight, 0, 0)
	case ops.Conv2DGradInput:
		return b.gradInput(n, ConvGradInput, op.Kernel, op.Stride)
	case ops.DenseGradInput:
		return b.gradInput(n, DenseGradInput, 0, 0)
	case ops.ConvTranspose2D:
		return b.transpose(n, op)
	case ops.ConvTranspose2DGradWeight:
		return b.transposeGradWeight(n, op)
	case ops.ConvTranspose2DGradInput:
		return b.exchanged(n, Conv, op.Kernel, b.In(n)[1], b.In(n)[0])
	case ops.Upsample2:
		if b.absorbs(n) {
			return nil
		}
		return b.point(n)
	case ops.BatchNorm, ops.Normalize, ops.Activation, ops.MaxPool2:
		return b.point(n)
	case ops.MaxPool2Grad, ops.Upsample2Grad, ops.ActivationGrad, ops.BatchNormGradInput, ops.BatchNormGradGamma:
		return b.pointGrad(n)
	case ops.Dropout:
		return b.dropout(n, op)
	case ops.DropoutGrad:
		return b.dropoutGrad(n, op)
	case ops.Noise:
		return b.noise(n, op)
	case ops.Add:
		return b.sum(n)
	case ops.BCEWithLogits, ops.MSE, ops.Blend, ops.SoftmaxCrossEntropy, ops.BCEWithLogitsGrad, ops.MSEGrad, ops.BlendGrad, ops.SoftmaxCrossEntropyGrad:
		return b.loss()
	case ops.ChannelSum, ops.BatchMean, ops.BatchVariance:
		return fmt.Errorf("no step takes it along")
	}
	if ops.IsGradientSum(n) {
		return b.sum(n)
	}
	return fmt.Errorf("there is no lowering for %T", n.Op())
}

func (b *builder) dropout(n *gorgonia.Node, op ops.Dropout) error {
	x, err := b.at(b.In(n)[0])
	if err != nil {
		return err
	}
	s := newStep(Dropout)
	s.X, s.Y, s.Aux = x, b.reuse(n, b.In(n)[0]), b.tensor(n, 1)
	s.Rate, s.Layer, s.Seed = op.Rate, op.Layer, op.Seed
	b.masks[op] = s.Aux
	b.add(s)
	return nil
}

func (b *builder) dropoutGrad(n *gorgonia.Node, op ops.DropoutGrad) error {
	dy, err := b.at(b.In(n)[0])
	if err != nil {
		return err
	}
	mask, ok := b.masks[ops.Dropout(op)]
	if !ok {
		return fmt.Errorf("its dropout is not in the graph")
	}
	s := newStep(DropoutGrad)
	s.DY, s.DX, s.Aux, s.Rate = dy, b.reuse(n, b.In(n)[0]), mask, op.Rate
	b.add(s)
	return nil
}

// noise leaves the images as they are, for others read them too.
func (b *builder) noise(n *gorgonia.Node, op ops.Noise) error {
	x, err := b.at(b.In(n)[0])
	if err != nil {
		return err
	}
	s := newStep(Noise)
	s.X, s.Y, s.Rate, s.Layer, s.Seed = x, b.set(n), op.Sigma, op.Layer, op.Seed
	b.add(s)
	return nil
}

// sum adds two values, in place of one that nobody else needs.
func (b *builder) sum(n *gorgonia.Node) error {
	a, c := b.In(n)[0], b.In(n)[1]
	x, err := b.at(a)
	if err != nil {
		return err
	}
	x2, err := b.at(c)
	if err != nil {
		return err
	}
	s := newStep(Add)
	s.X, s.X2 = x, x2
	if s.Y = b.reuse(n, a); s.Y != x {
		s.Y = b.reuse(n, c)
	}
	b.add(s)
	return nil
}

// loss computes a loss and its gradient in one pass.
func (b *builder) loss() error {
	x, err := b.at(b.Loss.Logits)
	if err != nil {
		return err
	}
	if b.tensors[x].Width < 4 {
		wide := newStep(Widen)
		wide.X, wide.Y = x, b.tensor(b.Loss.Logits, 4)
		b.add(wide)
		x = wide.Y
	}
	s := newStep(LossGrad)
	s.X, s.Loss, s.Blend, s.Aux = x, b.Loss.Number, b.Loss.Blend, b.bytes
	if g := b.Loss.Grad; g != nil {
		s.DX = b.tensor(g, b.real())
		b.value[g], b.done[g] = s.DX, true
	}
	b.add(s)
	return nil
}

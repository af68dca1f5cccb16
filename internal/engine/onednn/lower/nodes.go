package lower

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
	case ops.Add:
		return b.sum(n)
	case ops.ChannelSum, ops.BatchMean, ops.BatchVariance:
		return fmt.Errorf("no step takes it along")
	}
	switch {
	case lossOf(n.Op()) >= 0:
		return b.loss(n)
	case ops.IsGradientSum(n):
		return b.sum(n)
	}
	return fmt.Errorf("there is no lowering for %T", n.Op())
}

func (b *builder) dropout(n *gorgonia.Node, op ops.Dropout) error {
	x, err := b.at(b.kids[n][0])
	if err != nil {
		return err
	}
	s := newStep(Dropout)
	s.X, s.Y, s.Aux = x, b.reuse(n, b.kids[n][0]), b.tensor(n, 1)
	s.Rate, s.Layer, s.Seed = op.Rate, op.Layer, op.Seed
	b.masks[op] = s.Aux
	b.add(s)
	return nil
}

func (b *builder) dropoutGrad(n *gorgonia.Node, op ops.DropoutGrad) error {
	dy, err := b.at(b.kids[n][0])
	if err != nil {
		return err
	}
	mask, ok := b.masks[ops.Dropout(op)]
	if !ok {
		return fmt.Errorf("its dropout is not in the graph")
	}
	s := newStep(DropoutGrad)
	s.DY, s.DX, s.Aux, s.Rate = dy, b.reuse(n, b.kids[n][0]), mask, op.Rate
	b.add(s)
	return nil
}

// sum adds two values, in place of one that nobody else needs.
func (b *builder) sum(n *gorgonia.Node) error {
	a, c := b.kids[n][0], b.kids[n][1]
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

// lossOf is a loss op's number in a step, negative for other ops.
func lossOf(op gorgonia.Op) int32 {
	switch op.(type) {
	case ops.BCEWithLogits, ops.BCEWithLogitsGrad:
		return 0
	case ops.MSE, ops.MSEGrad:
		return 1
	case ops.SoftmaxCrossEntropy, ops.SoftmaxCrossEntropyGrad:
		return 2
	}
	return -1
}

// loss computes a loss and its gradient in one pass.
func (b *builder) loss(n *gorgonia.Node) error {
	z := b.kids[n][0]
	x, err := b.at(z)
	if err != nil {
		return err
	}
	s := newStep(LossGrad)
	s.X, s.Loss, s.Aux = x, lossOf(n.Op()), b.bytes
	for _, u := range b.users[z] {
		if lossOf(u.Op()) < 0 {
			return fmt.Errorf("the logits are also used by %v", u)
		}
		b.done[u] = true
		if u == b.net.Train.Loss {
			continue
		}
		if s.DX != None {
			return fmt.Errorf("it has two gradients")
		}
		b.value[u] = b.tensor(u, b.real())
		s.DX = b.value[u]
	}
	b.add(s)
	return nil
}

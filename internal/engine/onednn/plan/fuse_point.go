package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// point lowers a chain of norm, activation and resampling, each optional, to
// one pass. A link is taken where the next op is the value's only user; gradients
// that need the value don't count as users where they can do without it (needs).
func (b *builder) point(head *gorgonia.Node) error {
	s := newStep(Point)
	x := b.In(head)[0]
	at, err := b.at(x)
	if err != nil {
		return err
	}
	s.X = at
	if bias, ok := b.biases[x]; ok {
		s.Bias = bias
	}
	end := head
	switch op := head.Op().(type) {
	case ops.BatchNorm:
		err = b.batchNorm(&s, head)
	case ops.Normalize:
		s.Norm, err = true, b.normParams(&s, head)
		s.Stats = b.newTensor(Tensor{N: 1, C: 4 * head.Shape()[1], H: 1, W: 1, Width: 4})
	case ops.Activation:
		s.Act = lower.Activation(op.F)
	}
	if err != nil {
		return err
	}
	if s.Norm {
		if a, act := b.next(end); a != nil {
			s.Act, end = act, a
		}
	}
	if (s.Norm || s.Act != 0) && !(b.training && s.Act == silu) {
		if r := b.resampled(end); r != nil {
			end = r
		}
	}
	return b.finishPoint(s, head, end, x)
}

// next is the activation that alone uses n, and its number, where one step can do both, or nil:
// SiLU's gradient needs what went in, so that SiLU stays a step of its own in training.
func (b *builder) next(n *gorgonia.Node) (*gorgonia.Node, int32) {
	a, op, ok := lower.Sole[ops.Activation](b.Graph, n)
	if !ok || b.training && op.F == arch.SiLU {
		return nil, 0
	}
	return a, lower.Activation(op.F)
}

// resampled is the pooling or upsampling that n goes to where nothing but it and
// its own way back through the activation n uses n, or nil. The way back reads
// the resampled value instead.
func (b *builder) resampled(n *gorgonia.Node) *gorgonia.Node {
	if b.Kept(n) {
		return nil
	}
	var to *gorgonia.Node
	for _, u := range b.Users(n) {
		switch u.Op().(type) {
		case ops.MaxPool2, ops.Upsample2:
			if to != nil {
				return nil
			}
			if to = u; b.absorbs(u) {
				return nil
			}
		case ops.ActivationGrad:
			if !b.fusesBack(u) {
				return nil
			}
		default:
			return nil
		}
	}
	return to
}

// fusesBack: the gradient of this activation comes from a resampling's gradient
// that nothing else uses, and will be one step with it.
func (b *builder) fusesBack(grad *gorgonia.Node) bool {
	dy := b.In(grad)[2]
	switch dy.Op().(type) {
	case ops.MaxPool2Grad, ops.Upsample2Grad:
		return len(b.Users(dy)) == 1
	}
	return false
}

func (b *builder) finishPoint(s Step, head, end, x *gorgonia.Node) error {
	for n := end; n != head; n = b.In(n)[0] {
		b.done[n] = true
	}
	switch end.Op().(type) {
	case ops.MaxPool2:
		s.Resample, s.Aux = Pool, b.tensor(end, 1)
		b.indices[end] = s.Aux
	case ops.Upsample2:
		s.Resample = Upsample
	}
	if s.Resample == Plain {
		s.Y = b.reuse(end, x)
	} else {
		s.Y = b.set(end)
		b.held[end] = b.training // for the gradient of the activation before it
	}
	b.add(s)
	return nil
}

// batchNorm fills in the norm of a training step: its parameters, and the
// statistics of the same input that feed the running averages.
func (b *builder) batchNorm(s *Step, n *gorgonia.Node) error {
	k := b.In(n)
	var err error
	if s.Gamma, err = b.param(k[1]); err != nil {
		return err
	}
	if s.Beta, err = b.param(k[2]); err != nil {
		return err
	}
	norm := b.Norms[k[0]]
	s.Mean, s.Variance = b.named(norm.Mean), b.named(norm.Variance)
	for _, u := range b.Users(k[0]) {
		switch u.Op().(type) {
		case ops.BatchMean, ops.BatchVariance:
			b.done[u] = true
		}
	}
	s.Norm = true
	s.Stats = b.newTensor(Tensor{N: 1, C: 4 * n.Shape()[1], H: 1, W: 1, Width: 4})
	b.moments[norm] = s.Stats
	return nil
}

// normParams fills in the parameters of a norm outside training.
func (b *builder) normParams(s *Step, n *gorgonia.Node) (err error) {
	for i, at := range []*int32{&s.Gamma, &s.Beta, &s.Mean, &s.Variance} {
		if *at, err = b.param(b.In(n)[i+1]); err != nil {
			return err
		}
	}
	return nil
}

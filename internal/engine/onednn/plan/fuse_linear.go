package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// linear lowers a convolution or dense layer, and with it in inference the norm
// that follows it, then the activation that follows.
func (b *builder) linear(n *gorgonia.Node, kind Kind, kernel, stride int) error {
	k := b.In(n)
	s, err := b.linearStep(kind, kernel, stride, k[1], k[2])
	if err != nil {
		return err
	}
	x, upsampled := b.source(k[0])
	if s.X, err = b.at(x); err != nil {
		return err
	}
	few := n.Shape()[1] <= fewChannels
	end := n
	if norm, _, ok := lower.Sole[ops.Normalize](b.Graph, end); ok && kind == Conv {
		if err := b.normParams(&s, norm); err != nil {
			return err
		}
		s.Norm, end, b.done[norm] = true, norm, true
	}
	if a, act := b.next(end); a != nil {
		s.Act, end, b.done[a] = act, a, true
	}
	width := b.real()
	if b.lossAlone(end) && (few || !upsampled) { // phases of many channels are put together as they are
		width = 4
	}
	s.Y = b.tensor(end, width)
	b.value[end] = s.Y
	if upsampled {
		s.Kind, s.Aux = UpConv, b.phases(n, b.tensors[s.Y].Width)
	}
	b.add(s)
	return nil
}

// lossAlone tells whether n are logits that the loss alone reads, not an activation's
// gradient too.
func (b *builder) lossAlone(n *gorgonia.Node) bool {
	return n == b.Loss.Logits && b.User(n, func(op gorgonia.Op) bool { _, is := op.(ops.ActivationGrad); return is }) == nil
}

func (b *builder) linearStep(kind Kind, kernel, stride int, weight, bias *gorgonia.Node) (Step, error) {
	s := newStep(kind)
	s.Kernel, s.Stride = int32(kernel), int32(stride)
	var err error
	if s.Weight, err = b.param(weight); err != nil || bias == nil {
		return s, err
	}
	s.Bias, err = b.param(bias)
	return s, err
}

// gradWeight takes the bias's gradient, the channel sum of the same dy, along.
func (b *builder) gradWeight(n *gorgonia.Node, kind Kind, kernel, stride int) error {
	s := newStep(kind)
	s.Kernel, s.Stride = int32(kernel), int32(stride)
	x, upsampled := b.source(b.In(n)[0])
	var err error
	if s.X, err = b.at(x); err != nil {
		return err
	}
	dy := b.In(n)[1]
	if s.DY, err = b.at(dy); err != nil {
		return err
	}
	role := ops.ConvBias
	if kind == DenseGradWeight {
		role = ops.DenseBias
	}
	if s.Weight, err = b.grad(n); err != nil {
		return err
	}
	if s.Bias, err = b.gradBias(dy, role); err != nil {
		return err
	}
	if upsampled {
		b.upGrad(&s, n)
	}
	b.add(s)
	return nil
}

// gradBias is the place of the gradient of the bias that was added to the value whose
// gradient dy is.
func (b *builder) gradBias(dy *gorgonia.Node, role ops.Role) (int32, error) {
	bias := b.User(dy, func(o gorgonia.Op) bool { return o == gorgonia.Op(ops.ChannelSum{Of: role}) })
	if bias == nil {
		return None, fmt.Errorf("it is not the gradient of a parameter with a bias")
	}
	b.done[bias] = true
	return b.grad(bias)
}

func (b *builder) gradInput(n *gorgonia.Node, kind Kind, kernel, stride int) error {
	s, err := b.linearStep(kind, kernel, stride, b.In(n)[0], nil)
	if err != nil {
		return err
	}
	if s.DY, err = b.at(b.In(n)[1]); err != nil {
		return err
	}
	s.DX = b.set(n)
	b.add(s)
	return nil
}

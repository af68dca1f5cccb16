package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// chain is a way back: resampling, activation, norm, and the activation before
// the norm, each where the next gradient is the only user of the one before.
type chain struct {
	resample, act, norm, before *gorgonia.Node
	gamma, beta                 *gorgonia.Node // gradients that the norm's own comes with
	end                         *gorgonia.Node
}

// pointGrad lowers the chain that begins at the gradient n to one step.
func (b *builder) pointGrad(n *gorgonia.Node) error {
	c := b.chain(n)
	s := newStep(PointGrad)
	dy := n
	for _, link := range []func(*Step, *chain, **gorgonia.Node) error{b.backResample, b.backAct, b.backNorm} {
		if err := link(&s, &c, &dy); err != nil {
			return err
		}
	}
	at, err := b.at(dy)
	if err != nil {
		return err
	}
	s.DY = at
	if s.Resample == Plain {
		s.DX = b.reuseGrad(c, dy)
	} else {
		s.DX = b.result(c)
	}
	for _, done := range []*gorgonia.Node{c.resample, c.act, c.norm, c.before, c.gamma, c.beta} {
		if done != nil {
			b.done[done] = true
		}
	}
	b.add(s)
	return nil
}

// chain follows the gradients from n on.
func (b *builder) chain(n *gorgonia.Node) chain {
	var c chain
	switch n.Op().(type) {
	case ops.MaxPool2Grad, ops.Upsample2Grad:
		c.resample, c.end = n, n
		a, op, ok := lower.Sole[ops.ActivationGrad](b.Graph, n)
		if ok && op.F != arch.SiLU && b.resampleOf(n) != nil && b.In(b.resampleOf(n))[0] == b.In(a)[1] {
			c.act, c.end = a, a
		}
	case ops.ActivationGrad:
		c.act, c.end = n, n
	}
	b.chainNorm(&c, n)
	return c
}

// chainNorm adds the norm's gradients to a chain, if the end's users are just
// those, and the activation before the norm.
func (b *builder) chainNorm(c *chain, n *gorgonia.Node) {
	dy := c.end
	if dy == nil { // n is itself of the norm
		dy = b.In(n)[len(b.In(n))-1]
	}
	norm := b.NormBelow(dy)
	if norm == nil {
		return
	}
	x, together := norm.GradInput, 3
	if x == nil {
		x, together = norm.GradGamma, 2
	}
	if c.end != nil && len(b.Users(dy)) != together {
		return
	}
	if a := c.act; a != nil && a.Op().(ops.ActivationGrad).F == arch.SiLU {
		return
	}
	c.norm, c.gamma, c.beta, c.end = x, norm.GradGamma, norm.GradBeta, x
	if a, op, ok := lower.Sole[ops.ActivationGrad](b.Graph, x); ok && op.F != arch.SiLU && b.In(a)[1] == b.In(x)[0] {
		c.before, c.end = a, a
	}
}

// resampleOf is the forward op of a resampling's gradient, or nil.
func (b *builder) resampleOf(n *gorgonia.Node) *gorgonia.Node {
	if _, ok := n.Op().(ops.MaxPool2Grad); ok {
		return b.In(n)[1]
	}
	for _, f := range n.DerivOf() { // an upsampling's gradient doesn't take its input
		for _, u := range b.Users(f) {
			if _, ok := u.Op().(ops.Upsample2); ok {
				return u
			}
		}
	}
	return nil
}

func (b *builder) backResample(s *Step, c *chain, dy **gorgonia.Node) error {
	if c.resample == nil {
		return nil
	}
	k := b.In(c.resample)
	*dy = k[len(k)-1]
	s.Resample = Upsample
	if _, ok := c.resample.Op().(ops.MaxPool2Grad); ok {
		s.Resample = Pool
		if s.Aux, ok = b.indices[k[1]]; !ok {
			return fmt.Errorf("its pooling is not in the graph")
		}
	}
	if c.act == nil {
		return nil
	}
	var err error
	s.Y, err = b.at(b.resampleOf(c.resample))
	return err
}

func (b *builder) backAct(s *Step, c *chain, dy **gorgonia.Node) error {
	if c.act == nil {
		return nil
	}
	k := b.In(c.act)
	s.Act = lower.Activation(c.act.Op().(ops.ActivationGrad).F)
	var err error
	switch {
	case c.resample != nil:
		return nil
	case s.Act == silu:
		s.X, err = b.at(k[0])
	default:
		s.Y, err = b.at(k[1])
	}
	*dy = k[2]
	return err
}

func (b *builder) backNorm(s *Step, c *chain, dy **gorgonia.Node) error {
	if c.norm == nil {
		if c.end == nil {
			return fmt.Errorf("a batch norm's three gradients are not together")
		}
		return nil
	}
	k := b.In(c.norm)
	if c.resample == nil && c.act == nil {
		*dy = k[len(k)-1]
	}
	var err error
	if s.X, err = b.at(k[0]); err != nil {
		return err
	}
	norm := b.Norms[k[0]]
	stats, ok := b.moments[norm]
	if !ok {
		return fmt.Errorf("its batch norm comes later")
	}
	s.Norm, s.Stats, s.Gamma, s.Beta = true, stats, b.named(norm.Gamma), b.named(norm.Beta)
	if c.before != nil {
		s.Before = lower.Activation(c.before.Op().(ops.ActivationGrad).F)
	}
	return nil
}

// reuseGrad puts the chain's result in the place of dy where the chain is all
// that uses dy.
func (b *builder) reuseGrad(c chain, dy *gorgonia.Node) int32 {
	mine := 0
	for _, u := range b.Users(dy) {
		for _, n := range []*gorgonia.Node{c.act, c.norm, c.gamma, c.beta} {
			if u == n {
				mine++
			}
		}
	}
	if mine == len(b.Users(dy)) {
		b.value[c.end] = b.value[dy]
		return b.value[dy]
	}
	return b.result(c)
}

// result makes the tensor that a chain ends in. Where that is not a node's value
// (the gradient of the network's input), it has the shape of the norm's input.
func (b *builder) result(c chain) int32 {
	if c.norm != nil && c.norm == c.gamma {
		return b.tensor(b.In(c.norm)[0], b.real())
	}
	return b.set(c.end)
}

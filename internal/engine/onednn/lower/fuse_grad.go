package lower

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
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
		a, op, ok := sole[ops.ActivationGrad](b, n)
		if ok && op.F != arch.SiLU && b.resampleOf(n) != nil && b.kids[b.resampleOf(n)][0] == b.kids[a][1] {
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
		dy = b.kids[n][len(b.kids[n])-1]
	}
	x := b.user(dy, func(o gorgonia.Op) bool { return o == gorgonia.Op(ops.BatchNormGradInput{}) })
	gamma := b.user(dy, func(o gorgonia.Op) bool { return o == gorgonia.Op(ops.BatchNormGradGamma{}) })
	beta := b.user(dy, func(o gorgonia.Op) bool { return o == gorgonia.Op(ops.ChannelSum{Of: ops.NormBeta}) })
	together := 3
	if x == nil { // nobody needs the gradient of the network's own input
		x, together = gamma, 2
	}
	if gamma == nil || beta == nil || c.end != nil && len(b.users[dy]) != together {
		return
	}
	if a := c.act; a != nil && a.Op().(ops.ActivationGrad).F == arch.SiLU {
		return
	}
	c.norm, c.gamma, c.beta, c.end = x, gamma, beta, x
	if a, op, ok := sole[ops.ActivationGrad](b, x); ok && op.F != arch.SiLU && b.kids[a][1] == b.kids[x][0] {
		c.before, c.end = a, a
	}
}

// resampleOf is the forward op of a resampling's gradient, or nil.
func (b *builder) resampleOf(n *gorgonia.Node) *gorgonia.Node {
	if _, ok := n.Op().(ops.MaxPool2Grad); ok {
		return b.kids[n][1]
	}
	for _, f := range n.DerivOf() { // an upsampling's gradient doesn't take its input
		for _, u := range b.users[f] {
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
	k := b.kids[c.resample]
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
	k := b.kids[c.act]
	s.Act = acts[c.act.Op().(ops.ActivationGrad).F]
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
	k := b.kids[c.norm]
	if c.resample == nil && c.act == nil {
		*dy = k[len(k)-1]
	}
	var err error
	if s.X, err = b.at(k[0]); err != nil {
		return err
	}
	stats, ok := b.moments[k[0]]
	gamma, ok2 := b.grads[c.gamma]
	beta, ok3 := b.grads[c.beta]
	if !ok || !ok2 || !ok3 {
		return fmt.Errorf("its batch norm is not in the graph")
	}
	s.Norm, s.Stats, s.Gamma, s.Beta = true, stats, int32(gamma), int32(beta)
	if c.before != nil {
		s.Before = acts[c.before.Op().(ops.ActivationGrad).F]
	}
	return nil
}

// reuseGrad puts the chain's result in the place of dy where the chain is all
// that uses dy.
func (b *builder) reuseGrad(c chain, dy *gorgonia.Node) int32 {
	mine := 0
	for _, u := range b.users[dy] {
		for _, n := range []*gorgonia.Node{c.act, c.norm, c.gamma, c.beta} {
			if u == n {
				mine++
			}
		}
	}
	if mine == len(b.users[dy]) {
		b.value[c.end] = b.value[dy]
		return b.value[dy]
	}
	return b.result(c)
}

// result makes the tensor that a chain ends in. Where that is not a node's value
// (the gradient of the network's input), it has the shape of the norm's input.
func (b *builder) result(c chain) int32 {
	if c.norm != nil && c.norm == c.gamma {
		return b.tensor(b.kids[c.norm][0], b.real())
	}
	return b.set(c.end)
}

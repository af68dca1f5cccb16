package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/ops"
)

// norm is a batch norm of training with its statistics and, if they belong
// together, the activation after it.
type norm struct {
	x              *gorgonia.Node
	gamma, beta    string
	mean, variance Ref
	activation     *gorgonia.Node // fused; nil if there is none
	dy             *gorgonia.Node // gradient of the output
	gradInput      *gorgonia.Node
	done           bool
}

// findNorms joins the nodes of each batch norm, which Gorgonia keeps apart.
func (l *lowering) findNorms() {
	for _, n := range l.live {
		switch n.Op().(type) {
		case ops.BatchNorm:
			in := inputs(n)
			l.norms[in[0]] = &norm{x: in[0], gamma: l.names[in[1]], beta: l.names[in[2]]}
		case ops.BatchNormGradInput:
			g := l.norms[inputs(n)[0]]
			g.gradInput, g.dy = n, inputs(n)[2]
		case ops.BatchNormGradGamma:
			l.norms[inputs(n)[0]].dy = inputs(n)[1]
		}
	}
	for _, n := range l.live {
		if _, ok := n.Op().(ops.BatchNorm); ok {
			l.fuseActivation(n, l.norms[inputs(n)[0]])
		}
	}
	for _, n := range l.live { // beta's gradient comes with gamma's
		if op, ok := n.Op().(ops.ChannelSum); ok && op.Of == ops.NormBeta {
			l.fused[n] = true
		}
	}
}

// fuseActivation joins batch norm n and the activation after it if nothing else
// reads n, and if the activation's gradient goes to n's gradients alone.
func (l *lowering) fuseActivation(n *gorgonia.Node, g *norm) {
	var activation *gorgonia.Node
	for _, user := range l.users[n] {
		switch user.Op().(type) {
		case ops.Activation:
			activation = user
		case ops.ActivationGrad:
			if user != g.dy {
				return
			}
		default:
			return
		}
	}
	if activation == nil || g.dy == nil {
		return
	}
	op, ok := g.dy.Op().(ops.ActivationGrad)
	if !ok || inputs(g.dy)[1] != activation || op.F != activation.Op().(ops.Activation).F {
		return
	}
	for _, user := range l.users[g.dy] {
		switch o := user.Op().(type) {
		case ops.BatchNormGradInput, ops.BatchNormGradGamma:
		case ops.ChannelSum:
			if o.Of != ops.NormBeta {
				return
			}
		default:
			return
		}
	}
	g.activation = activation
	l.fused[activation], l.fused[g.dy] = true, true
}

// normalize lowers batch norm: in training by the batch's own statistics, which
// also move the running averages, else by the averages.
func (l *lowering) normalize(n *gorgonia.Node, in gorgonia.Nodes) {
	out, activation := n, int32(0)
	gamma, beta := l.param(in[1]), l.param(in[2])
	var mean, variance Ref
	if l.training {
		g := l.norms[in[0]]
		l.statistics(g)
		mean, variance = g.mean, g.variance
		if g.activation != nil {
			out = g.activation
		}
	} else {
		mean, variance = l.param(in[3]), l.param(in[4])
		if next := l.next(n); next != nil {
			if _, ok := next.Op().(ops.Activation); ok {
				out = next
				l.fused[next] = true
			}
		}
	}
	if out != n {
		activation = number(out.Op().(ops.Activation).F)
	}
	y := l.create(out)
	l.over(y.total(), "normalize"+suffix(y.half), l.of(in[0], y.half).ref, gamma, beta, mean, variance, y.ref, activation, int32(y.c), y.count())
}

func (l *lowering) statistics(g *norm) {
	x := l.values[g.x]
	vector := int64(x.c) * 4
	p := partitionRows(x.rows(), x.c)
	part, shift := l.scratch(int64(p.parts)*vector*2), l.scratch(vector)
	g.mean, g.variance = l.scratch(vector), l.scratch(vector)
	l.emit(Launch{"norm_sums" + suffix(x.half), p.grid, threads, []any{x.ref, part, shift, int32(x.c), int32(x.rows()), int32(p.chunk), int32(p.wide)}})
	null := Ref{In: Null}
	rawMean, rawVariance, mean, variance := null, null, null, null
	for name, n := range l.net.Train.Stats {
		if inputs(n)[0] != g.x {
			continue
		}
		if _, ok := n.Op().(ops.BatchMean); ok {
			rawMean, mean = l.layout.running(name), l.layout.at(Params, name)
		} else {
			rawVariance, variance = l.layout.running(name), l.layout.at(Params, name)
		}
	}
	l.over(int64(x.c), "norm_statistics", part, int32(p.parts), int32(x.c), float32(x.rows()), shift, g.mean, g.variance,
		rawMean, rawVariance, mean, variance, Ref{In: Steps})
}

// normGrad lowers all gradients of the batch norm of x.
func (l *lowering) normGrad(of *gorgonia.Node) {
	g := l.norms[of]
	if g.done {
		return
	}
	g.done = true
	x := l.values[g.x]
	dy, y, activation := g.dy, g.x, int32(0) // without an activation, y is not read
	if g.activation != nil {
		dy, y, activation = inputs(g.dy)[2], g.activation, number(g.activation.Op().(ops.Activation).F)
	}
	grad, out := l.of(dy, x.half), l.of(y, x.half)
	gamma, beta := l.layout.at(Params, g.gamma), l.layout.at(Params, g.beta)
	dgamma, dbeta := l.layout.at(Grads, g.gamma), l.layout.at(Grads, g.beta)
	p := partitionRows(x.rows(), x.c)
	part := l.scratch(int64(p.parts) * int64(x.c) * 8)
	l.emit(Launch{"norm_grad_sums" + suffix(x.half), p.grid, threads, []any{x.ref, out.ref, grad.ref, gamma, beta, g.mean, g.variance,
		part, activation, int32(x.c), int32(x.rows()), int32(p.chunk), int32(p.wide)}})
	l.over(int64(x.c), "norm_grad_sums", part, int32(p.parts), int32(x.c), dgamma, dbeta)
	if g.gradInput == nil {
		return
	}
	dx := l.create(g.gradInput)
	l.over(dx.total(), "norm_grad"+suffix(dx.half), x.ref, out.ref, grad.ref, gamma, beta, g.mean, g.variance, dgamma, dbeta,
		dx.ref, activation, int32(dx.c), float32(x.rows()), dx.count())
}

package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// norm is what the lowering of a training's batch norm leaves for its way back.
type norm struct {
	mean, variance Ref
	activation     *gorgonia.Node // fused; nil if there is none
	done           bool
}

func (l *lowering) fuseNorms() {
	for _, g := range l.Norms {
		l.norms[g] = &norm{}
		l.fuseActivation(g)
		l.fused[g.GradBeta] = true // it comes with gamma's
	}
}

// fuseActivation joins a batch norm and the activation after it if nothing else
// reads the norm, and if the activation's gradient goes to the norm's alone.
func (l *lowering) fuseActivation(g *lower.Norm) {
	var activation *gorgonia.Node
	for _, user := range l.Users(g.Y) {
		switch user.Op().(type) {
		case ops.Activation:
			activation = user
		case ops.ActivationGrad:
			if user != g.DY {
				return
			}
		default:
			return
		}
	}
	op, ok := g.DY.Op().(ops.ActivationGrad)
	if !ok || activation == nil || l.In(g.DY)[1] != activation || op.F != activation.Op().(ops.Activation).F {
		return
	}
	for _, user := range l.Users(g.DY) {
		if user != g.GradInput && user != g.GradGamma && user != g.GradBeta {
			return
		}
	}
	l.norms[g].activation = activation
	l.fused[activation], l.fused[g.DY] = true, true
}

// normalize lowers batch norm: in training by the batch's own statistics, which
// also move the running averages, else by the averages.
func (l *lowering) normalize(n *gorgonia.Node, in gorgonia.Nodes) {
	out, activation := n, int32(0)
	gamma, beta := l.param(in[1]), l.param(in[2])
	var mean, variance Ref
	if l.training {
		g := l.Norms[in[0]]
		l.statistics(g)
		made := l.norms[g]
		mean, variance = made.mean, made.variance
		if made.activation != nil {
			out = made.activation
		}
	} else {
		mean, variance = l.param(in[3]), l.param(in[4])
		if next, _, ok := lower.Sole[ops.Activation](l.Graph, n); ok {
			out = next
			l.fused[next] = true
		}
	}
	if out != n {
		activation = lower.Activation(out.Op().(ops.Activation).F)
	}
	y := l.create(out)
	l.over(y.total(), "normalize"+suffix(y.half), l.of(in[0], y.half).ref, gamma, beta, mean, variance, y.ref, activation, int32(y.c), y.count())
}

func (l *lowering) statistics(g *lower.Norm) {
	x, made := l.values[g.X], l.norms[g]
	vector := int64(x.c) * 4
	p := partitionRows(x.rows(), x.c)
	part, shift := l.scratch(int64(p.parts)*vector*2), l.scratch(vector)
	made.mean, made.variance = l.scratch(vector), l.scratch(vector)
	l.emit(Launch{"norm_sums" + suffix(x.half), p.grid, threads, []any{x.ref, part, shift, int32(x.c), int32(x.rows()), int32(p.chunk), int32(p.wide)}})
	l.columns("norm_statistics", p.parts, 2*int64(x.c), part, int32(p.parts), int32(x.c), float32(x.rows()), shift, made.mean, made.variance,
		l.layout.running(g.Mean), l.layout.running(g.Variance), l.layout.at(Params, g.Mean), l.layout.at(Params, g.Variance), Ref{In: Steps})
}

// normGrad lowers all gradients of a batch norm.
func (l *lowering) normGrad(g *lower.Norm) {
	made := l.norms[g]
	if made.done {
		return
	}
	made.done = true
	x := l.values[g.X]
	dy, y, activation := g.DY, g.X, int32(0) // without an activation, y is not read
	if a := made.activation; a != nil {
		dy, y, activation = l.In(g.DY)[2], a, lower.Activation(a.Op().(ops.Activation).F)
	}
	grad, out := l.of(dy, x.half), l.of(y, x.half)
	gamma, beta := l.layout.at(Params, g.Gamma), l.layout.at(Params, g.Beta)
	dgamma, dbeta := l.layout.at(Grads, g.Gamma), l.layout.at(Grads, g.Beta)
	p := partitionRows(x.rows(), x.c)
	part := l.scratch(int64(p.parts) * int64(x.c) * 8)
	l.emit(Launch{"norm_grad_sums" + suffix(x.half), p.grid, threads, []any{x.ref, out.ref, grad.ref, gamma, beta, made.mean, made.variance,
		part, activation, int32(x.c), int32(x.rows()), int32(p.chunk), int32(p.wide)}})
	l.columns("norm_grad_sums", p.parts, 2*int64(x.c), part, int32(p.parts), int32(x.c), dgamma, dbeta)
	if g.GradInput == nil {
		return
	}
	dx := l.create(g.GradInput)
	l.over(dx.total(), "norm_grad"+suffix(dx.half), x.ref, out.ref, grad.ref, gamma, beta, made.mean, made.variance, dgamma, dbeta,
		dx.ref, activation, int32(dx.c), float32(x.rows()), dx.count())
}

package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

// norm is what the lowering of a training's batch norm leaves for its way back.
type norm struct {
	mean, variance Ref
	activation     *gorgonia.Node // fused; nil if there is none
	sums           *normSums      // by the kernel that made its input; nil if there is none
	done           bool
}

// normSums are the sums that a batch's statistics are made of.
type normSums struct {
	parts       int
	part, shift Ref
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
	p := partitionRows(y)
	l.launch("normalize"+suffix(y.half), p.grid, l.of(in[0], y.half).ref, gamma, beta, mean, variance, y.ref, activation,
		int32(y.c), int32(y.rows()), int32(p.chunk), int32(p.wide))
}

// sumValues launches the sums of x, or of f(x + bias), which is y: without a bias both are null.
func (l *lowering) sumValues(x value, bias, y Ref, f int32) *normSums {
	p := partitionRows(x)
	vector := int64(x.c) * 4
	made := &normSums{p.parts, l.scratch(int64(p.parts) * vector * 2), l.scratch(vector)}
	l.launch("norm_sums"+suffix(x.half), p.grid, x.ref, bias, y, made.part, made.shift, f, int32(x.c), int32(x.rows()), int32(p.chunk), int32(p.wide))
	return made
}

func (l *lowering) statistics(g *lower.Norm) {
	x, made := l.values[g.X], l.norms[g]
	vector := int64(x.c) * 4
	if made.sums == nil {
		made.sums = l.sumValues(x, Ref{In: Null}, Ref{In: Null}, 0)
	}
	made.mean, made.variance = l.scratch(vector), l.scratch(vector)
	l.columns("norm_statistics", made.sums.parts, 2*x.c, made.sums.part, int32(made.sums.parts), int32(x.c), float32(x.rows()), made.sums.shift, made.mean, made.variance,
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
	grad, out := l.incoming(dy, x.half), l.of(y, x.half)
	gamma, beta := l.layout.at(Params, g.Gamma), l.layout.at(Params, g.Beta)
	dgamma, dbeta := l.layout.at(Grads, g.Gamma), l.layout.at(Grads, g.Beta)
	p := partitionRows(x)
	part := l.scratch(int64(p.parts) * int64(x.c) * 8)
	h, w, c, rows, chunk, wide := int32(grad.h), int32(grad.w), int32(x.c), int32(x.rows()), int32(p.chunk), int32(p.wide)
	l.launch("norm_grad_sums"+suffix(x.half), p.grid, x.ref, out.ref, grad.ref, grad.which, gamma, beta, made.mean, made.variance,
		part, activation, h, w, c, rows, chunk, wide)
	l.columns("norm_grad_sums", p.parts, 2*x.c, part, int32(p.parts), int32(x.c), dgamma, dbeta)
	if g.GradInput == nil {
		return
	}
	to, z, below := l.below(g)
	dx := l.create(to)
	l.launch("norm_grad"+suffix(dx.half), p.grid, x.ref, out.ref, grad.ref, grad.which, gamma, beta, made.mean, made.variance, dgamma, dbeta,
		z, dx.ref, l.biasSums(to, p, x.c), activation, below, h, w, c, rows, chunk, wide)
}

// below is the gradient that the way back of a batch norm ends with: that of an activation's
// input, if the norm's is the activation's output, and no other norm is to compute it. It
// reads that input, z, for SiLU.
func (l *lowering) below(g *lower.Norm) (to *gorgonia.Node, z Ref, activation int32) {
	next, op, ok := lower.Sole[ops.ActivationGrad](l.Graph, g.GradInput)
	if !ok || l.In(next)[1] != g.X || l.fused[next] {
		return g.GradInput, Ref{In: Null}, 0
	}
	l.fused[next] = true
	if op.F == arch.SiLU {
		z = l.of(l.In(next)[0], l.half).ref
	} else {
		z = Ref{In: Null}
	}
	return next, z, lower.Activation(op.F)
}

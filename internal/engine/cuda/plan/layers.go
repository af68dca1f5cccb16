package plan

import (
	"slices"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

func (l *lowering) activationGrad(n *gorgonia.Node, in gorgonia.Nodes, op ops.ActivationGrad) {
	dx := l.create(n)
	dy, x := l.incoming(in[2], dx.half), Ref{In: Null}
	if op.F == arch.SiLU {
		x = l.of(in[0], dx.half).ref
	}
	y := l.of(in[1], dx.half)
	p := partitionRows(dx)
	l.launch("activate_grad"+suffix(dx.half), p.grid, x, y.ref, dy.ref, dy.which, dx.ref, l.biasSums(n, p, dx.c), lower.Activation(op.F),
		int32(dy.h), int32(dy.w), int32(dx.c), int32(dx.rows()), int32(p.chunk), int32(p.wide))
}

func (l *lowering) sum(n *gorgonia.Node, in gorgonia.Nodes) {
	y := l.create(n)
	l.over(y.total(), "add"+suffix(y.half), l.of(in[0], y.half).ref, l.of(in[1], y.half).ref, y.ref, y.count())
}

func (l *lowering) dropout(n, x *gorgonia.Node, op ops.Dropout) {
	y := l.create(n)
	l.over(y.total(), "dropout"+suffix(y.half), l.of(x, y.half).ref, y.ref, Ref{In: Steps}, op.Seed, op.Layer,
		float32(op.Rate), float32(1/(1-op.Rate)), int32(y.c), int32(y.h*y.w), y.count())
}

// noise is added to the images in float32.
func (l *lowering) noise(n, x *gorgonia.Node, op ops.Noise) {
	y := l.create(n)
	l.over(y.total(), "noise"+suffix(y.half), l.of(x, false).ref, y.ref, Ref{In: Steps}, op.Seed, op.Layer,
		float32(op.Sigma), int32(y.c), int32(y.h*y.w), y.count())
}

// maxPool keeps the places of the maxima, a byte each, where a gradient needs them.
func (l *lowering) maxPool(n, x *gorgonia.Node) {
	y := l.create(n)
	from := l.of(x, y.half)
	which := Ref{In: Null}
	if l.training {
		which = l.scratch(y.total())
		l.places[n] = which
	}
	l.over(y.total(), "max_pool"+suffix(y.half), from.ref, y.ref, which, int32(from.h), int32(from.w), int32(y.c), y.count())
}

// incoming is the gradient of an activation that a gradient's kernel reads: where the
// activation was pooled, the pool's, with the places of the maxima and the activation's
// sides.
type incoming struct {
	ref, which Ref
	h, w       int
}

func (l *lowering) incoming(dy *gorgonia.Node, half bool) incoming {
	if _, ok := l.values[dy]; ok {
		return incoming{ref: l.of(dy, half).ref, which: Ref{In: Null}}
	}
	in, s := l.In(dy), dy.Shape() // a pool's, whose kernel was left out
	return incoming{l.of(in[2], half).ref, l.places[in[1]], s[2], s[3]}
}

// maxPoolGrad is left to those that read it, where all of them can.
func (l *lowering) maxPoolGrad(n *gorgonia.Node, in gorgonia.Nodes) {
	if !slices.ContainsFunc(l.Users(n), func(user *gorgonia.Node) bool { return !l.takesPooled(user) }) {
		return
	}
	dx := l.create(n)
	l.over(dx.total(), "max_pool_grad"+suffix(dx.half), l.of(in[2], dx.half).ref, l.places[in[1]], dx.ref,
		int32(dx.h), int32(dx.w), int32(dx.c), dx.count())
}

func (l *lowering) takesPooled(user *gorgonia.Node) bool {
	switch user.Op().(type) {
	case ops.ActivationGrad, ops.BatchNormGradInput, ops.BatchNormGradGamma:
		return true
	}
	return l.fused[user] // the gradient of a batch norm's beta
}

// partition is how rows of an activation are split among blocks: lanes of channels, rows
// of a block.
type partition struct {
	wide, chunk, parts int
	grid               [3]int
}

func partitionRows(v value) partition {
	lanes, ahead := v.c, 4 // as sums.cuh has it
	if v.c%4 == 0 {
		lanes, ahead = v.c/4, 2
	}
	p := partition{wide: min(1<<powerOf(lanes), 32)}
	across := ceilDiv(lanes, p.wide)
	rows := int(v.rows())
	p.chunk = max(ceilDiv(rows, max(enough/across, 1)), threads/p.wide*ahead)
	p.parts = ceilDiv(rows, p.chunk)
	p.grid = [3]int{across, p.parts, 1}
	return p
}

// biasSums is where the kernel that makes a gradient dy leaves its sums for a bias, if it
// is one's.
func (l *lowering) biasSums(dy *gorgonia.Node, p partition, c int) Ref {
	bias := l.User(dy, func(op gorgonia.Op) bool { _, ok := op.(ops.ChannelSum); return ok })
	if bias == nil {
		return Ref{In: Null}
	}
	l.fused[bias] = true
	part := l.scratch(int64(p.parts) * int64(c) * 4)
	l.later(Sum{From: part, To: l.gradient(bias), Parts: p.parts, Width: c})
	return part
}

// channelSum is the gradient of a bias.
func (l *lowering) channelSum(dy *gorgonia.Node) {
	v := l.values[dy]
	p := partitionRows(v)
	l.launch("sum_rows"+suffix(v.half), p.grid, v.ref, l.biasSums(dy, p, v.c), int32(v.c), int32(v.rows()), int32(p.chunk), int32(p.wide))
}

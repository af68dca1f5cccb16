package plan

import (
	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/ops"
)

func (l *lowering) activationGrad(n *gorgonia.Node, in gorgonia.Nodes, op ops.ActivationGrad) {
	dx := l.create(n)
	y, dy := l.of(in[1], dx.half), l.of(in[2], dx.half)
	x := y // not read
	if op.F == arch.SiLU {
		x = l.of(in[0], dx.half)
	}
	l.over(dx.total(), "activate_grad"+suffix(dx.half), x.ref, y.ref, dy.ref, dx.ref, lower.Activation(op.F), dx.count())
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

func (l *lowering) maxPoolGrad(n *gorgonia.Node, in gorgonia.Nodes) {
	dx := l.create(n)
	l.over(dx.total(), "max_pool_grad"+suffix(dx.half), l.of(in[2], dx.half).ref, l.places[in[1]], dx.ref,
		int32(dx.h), int32(dx.w), int32(dx.c), dx.count())
}

// partition is how sums over rows are split: lanes for channels, rows a block.
type partition struct {
	wide, chunk, parts int
	grid               [3]int
}

func partitionRows(rows int64, c int) partition {
	p := partition{wide: 1}
	for p.wide < c && p.wide < 32 {
		p.wide *= 2
	}
	const parts = 128
	p.chunk = max(int((rows+parts-1)/parts), threads/p.wide*8)
	p.parts = int((rows + int64(p.chunk) - 1) / int64(p.chunk))
	p.grid = [3]int{(c + p.wide - 1) / p.wide, p.parts, 1}
	return p
}

// channelSum is the gradient of a bias.
func (l *lowering) channelSum(n, dy *gorgonia.Node) {
	v := l.values[dy]
	p := partitionRows(v.rows(), v.c)
	part := l.scratch(int64(p.parts) * int64(v.c) * 4)
	l.emit(Launch{"sum_rows" + suffix(v.half), p.grid, threads, []any{v.ref, part, int32(v.c), int32(v.rows()), int32(p.chunk), int32(p.wide)}})
	l.sumParts(part, l.gradient(n), p.parts, int64(v.c))
}

func (l *lowering) sumParts(part, to Ref, parts int, width int64) {
	l.columns("sum_parts", parts, width, part, to, int32(parts), uint32(width))
}

// columns launches a kernel that sums columns of parts, so many a block that enough
// threads share one; it takes their number last.
func (l *lowering) columns(kernel string, parts int, width int64, args ...any) {
	wide := 32
	for wide > 8 && parts*wide > 4*threads {
		wide /= 2
	}
	l.emit(Launch{kernel, [3]int{int(width+int64(wide)-1) / wide, 1, 1}, threads, append(args, int32(wide))})
}

package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/graph"
	"moncae/internal/metric"
)

// train lowers a training step.
func (l *lowering) train() ([]Step, error) {
	g, err := lower.Train(l.net)
	if err != nil {
		return nil, err
	}
	if err := l.begin(g); err != nil {
		return nil, err
	}
	l.wide[g.Loss.Logits], l.wide[g.Loss.Grad] = true, true
	l.fuseNorms()
	l.gather(l.net.Train.Input)
	if l.half {
		l.over(int64(l.layout.Trained), "to_half", Ref{In: Params}, Ref{In: HalfParam}, uint32(l.layout.Trained))
	}
	if err := l.nodes(); err != nil {
		return nil, err
	}
	kernel, err := update(l.options.Optimizer)
	if err != nil {
		return nil, err
	}
	total := int64(l.layout.Trained)
	l.over(total, kernel, Ref{In: Params}, Ref{In: Grads}, Ref{In: SlotA}, Ref{In: SlotB}, Ref{In: Rates}, Ref{In: Counter}, Ref{In: Steps}, uint32(total))
	l.advance(Ref{In: Steps})
	return l.steps, nil
}

func update(o arch.Optimizer) (string, error) {
	switch o {
	case arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD:
		return string(o), nil
	}
	return "", fmt.Errorf("optimizer %q is unknown", o)
}

func (l *lowering) advance(steps Ref) {
	l.emit(Launch{"count_run", [3]int{1, 1, 1}, 32, []any{Ref{In: Counter}, steps}})
}

// gather brings the batch's rows from the data to the graph's input.
func (l *lowering) gather(input *gorgonia.Node) {
	half := l.half
	l.half = false
	l.images = l.create(input)
	l.half = half
	l.inputHalf = Ref{In: Null}
	if half {
		l.inputHalf = l.scratch(l.images.total() * 2)
	}
	kernel := "gather_bytes"
	if l.options.Floats {
		kernel = "gather_floats"
	}
	v := l.images
	l.over(v.total(), kernel, Ref{In: Source}, Ref{In: Rows}, Ref{In: Counter}, v.ref, l.inputHalf, int32(v.n), int32(v.c), int32(v.h*v.w))
	if l.net.Loss == graph.CrossEntropy {
		l.labels = l.scratch(int64(v.n) * 4)
		l.over(int64(v.n), "gather_labels", Ref{In: Labels}, Ref{In: Rows}, Ref{In: Counter}, l.labels, int32(v.n))
	}
}

// halfInput is the input's copy in bfloat16, which gather made.
func (l *lowering) halfInput(v value) value {
	v.ref, v.half = l.inputHalf, true
	return v
}

// loss lowers the loss and its gradient, once.
func (l *lowering) loss() {
	if l.lossDone {
		return
	}
	l.lossDone = true
	z, dz := l.of(l.Loss.Logits, false), l.create(l.Loss.Grad)
	if l.net.Loss == graph.CrossEntropy {
		part := l.scratch(int64(z.n) * 8)
		l.over(int64(z.n), "loss_classes", z.ref, l.labels, dz.ref, part, int32(z.n), int32(z.c))
		l.lossMean(part, z.n, float64(z.n))
		return
	}
	const values = 4096 // a block's, in loss.cu
	parts := int((z.total() + values - 1) / values)
	part := l.scratch(int64(parts) * 8)
	if b := l.Loss.Blend; b != (graph.Blend{BCE: 1}) && b != (graph.Blend{MSE: 1}) {
		l.blend(b, z, dz, parts, part)
		return
	}
	l.emit(Launch{"loss_pixels", [3]int{parts, 1, 1}, threads, []any{l.Loss.Number, z.ref, l.images.ref, dz.ref, part, z.count()}})
	l.lossMean(part, parts, float64(z.total()))
}

// blend lowers a blend of losses: what windows have to do with it first.
func (l *lowering) blend(b graph.Blend, z, dz value, parts int, part Ref) {
	even, square, crossed, similar := Ref{In: Null}, Ref{In: Null}, Ref{In: Null}, Ref{In: Null}
	windows := z.total()
	if b.SSIM > 0 {
		side := min(metric.GaussianWindow, (z.h-1)|1, (z.w-1)|1)
		windows = int64(z.n) * int64(z.h-side+1) * int64(z.w-side+1) * int64(z.c)
		even, square, crossed, similar = l.scratch(windows*4), l.scratch(windows*4), l.scratch(windows*4), l.scratch(windows*4)
		l.over(windows, "loss_windows", z.ref, l.images.ref, even, square, crossed, similar, int32(z.h), int32(z.w), int32(z.c), uint32(windows))
	}
	l.emit(Launch{"loss_blend", [3]int{parts, 1, 1}, threads, []any{float32(b.BCE), float32(b.MSE), float32(b.SSIM), z.ref, l.images.ref, even, square, crossed, similar,
		dz.ref, part, int32(z.h), int32(z.w), int32(z.c), uint32(windows), z.count()}})
	l.lossMean(part, parts, float64(z.total()))
}

func (l *lowering) lossMean(part Ref, parts int, count float64) {
	l.emit(Launch{"loss_mean", [3]int{1, 1, 1}, threads, []any{part, int32(parts), count, Ref{In: Losses}, Ref{In: Counter}}})
}

// infer lowers the forward pass twice: with metrics at its end, and with the
// latent and the outputs written out.
func (l *lowering) infer() (evaluate, infer []Step, err error) {
	f := l.net.Infer
	if err := l.begin(lower.Infer(l.net)); err != nil {
		return nil, nil, err
	}
	l.gather(f.Input)
	if err := l.nodes(); err != nil {
		return nil, nil, err
	}
	forward := len(l.steps)
	z := l.values[f.Logits]
	l.measure(z)
	l.advance(Ref{In: Null})
	measured := len(l.steps)
	if f.Latent != nil {
		l.export(l.values[f.Latent], Latents, 0)
	}
	sigmoid := int32(1)
	if l.net.Loss == graph.CrossEntropy {
		sigmoid = 0
	}
	l.export(z, Outputs, sigmoid)
	l.advance(Ref{In: Null})
	infer = append(append(infer, l.steps[:forward]...), l.steps[measured:]...)
	return l.steps[:measured:measured], infer, nil
}

func (l *lowering) measure(z value) {
	if l.net.Loss == graph.CrossEntropy {
		l.over(int64(z.n), "measure_classes", z.ref, l.labels, Ref{In: Counter}, Ref{In: Measures}, int32(z.n), int32(z.c))
		return
	}
	l.emit(Launch{"measure_pixels", [3]int{z.n, 1, 1}, threads, []any{z.ref, l.images.ref, Ref{In: Counter}, Ref{In: Measures},
		int32(z.n), int32(z.total() / int64(z.n))}})
	if l.net.Blend.SSIM > 0 {
		l.emit(Launch{"measure_windows", [3]int{z.n, 1, 1}, threads, []any{z.ref, l.images.ref, Ref{In: Counter}, Ref{In: Measures}, int32(z.n), int32(z.h), int32(z.w), int32(z.c)}})
	}
}

func (l *lowering) export(v value, to Region, sigmoid int32) {
	l.over(v.total(), "export_values", v.ref, Ref{In: Counter}, Ref{In: to}, int32(v.n), int32(v.c), int32(v.h*v.w), sigmoid)
}

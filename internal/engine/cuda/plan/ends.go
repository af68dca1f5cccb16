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
	if err := l.nodes(); err != nil {
		return nil, err
	}
	kernel, err := update(l.options.Optimizer)
	if err != nil {
		return nil, err
	}
	l.sumStep()
	total := int64(l.layout.Trained)
	l.over(total, kernel, Ref{In: Params}, l.halves(), Ref{In: Grads}, Ref{In: SlotA}, Ref{In: SlotB}, Ref{In: Rates}, Ref{In: Counter}, Ref{In: Steps}, uint32(total))
	return l.steps, nil
}

// halves are the trained parameters in bfloat16, where steps read them.
func (l *lowering) halves() Ref {
	if !l.half {
		return Ref{In: Null}
	}
	return Ref{In: HalfParam}
}

// start copies new weights into bfloat16, as each step leaves them.
func (l *lowering) start() []Step {
	if !l.half {
		return nil
	}
	return []Step{over(int64(l.layout.Trained), "to_half", Ref{In: Params}, l.halves(), uint32(l.layout.Trained))}
}

func update(o arch.Optimizer) (string, error) {
	switch o {
	case arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD:
		return string(o), nil
	}
	return "", fmt.Errorf("optimizer %q is unknown", o)
}

// advance ends an inference's run.
func (l *lowering) advance() {
	l.emit(Launch{Kernel: "count_run", Grid: [3]int{1, 1, 1}, Block: 32, Args: []any{Ref{In: Counter}}})
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
		l.mean = mean{part, z.n, float64(z.n)}
		return
	}
	const values = 4096 // a block's, in loss.cu
	parts := int((z.total() + values - 1) / values)
	part := l.scratch(int64(parts) * 8)
	l.mean = mean{part, parts, float64(z.total())}
	if b := l.Loss.Blend; b != (graph.Blend{BCE: 1}) && b != (graph.Blend{MSE: 1}) {
		l.blend(b, z, dz, parts, part)
		return
	}
	l.launch("loss_pixels", [3]int{parts, 1, 1}, l.Loss.Number, z.ref, l.images.ref, dz.ref, part, z.count())
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
	l.launch("loss_blend", [3]int{parts, 1, 1}, float32(b.BCE), float32(b.MSE), float32(b.SSIM), z.ref, l.images.ref, even, square, crossed, similar,
		dz.ref, part, int32(z.h), int32(z.w), int32(z.c), uint32(windows), z.count())
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
	l.advance()
	measured := len(l.steps)
	if f.Latent != nil {
		l.export(l.values[f.Latent], Latents, 0)
	}
	sigmoid := int32(1)
	if l.net.Loss == graph.CrossEntropy {
		sigmoid = 0
	}
	l.export(z, Outputs, sigmoid)
	l.advance()
	infer = append(append(infer, l.steps[:forward]...), l.steps[measured:]...)
	return l.steps[:measured:measured], infer, nil
}

func (l *lowering) measure(z value) {
	if l.net.Loss == graph.CrossEntropy {
		l.over(int64(z.n), "measure_classes", z.ref, l.labels, Ref{In: Counter}, Ref{In: Measures}, int32(z.n), int32(z.c))
		return
	}
	l.launch("measure_pixels", [3]int{z.n, 1, 1}, z.ref, l.images.ref, Ref{In: Counter}, Ref{In: Measures}, int32(z.n), int32(z.total()/int64(z.n)))
	if l.net.Blend.SSIM > 0 {
		l.launch("measure_windows", [3]int{z.n, 1, 1}, z.ref, l.images.ref, Ref{In: Counter}, Ref{In: Measures}, int32(z.n), int32(z.h), int32(z.w), int32(z.c))
	}
}

func (l *lowering) export(v value, to Region, sigmoid int32) {
	l.over(v.total(), "export_values", v.ref, Ref{In: Counter}, Ref{In: to}, int32(v.n), int32(v.c), int32(v.h*v.w), sigmoid)
}

package plan

// Alone is a plan whose Train is one convolution: cuDNN's, by a plan that wants so much
// workspace, or our own kernel's, without the sum of its parts.
func Alone(p Problem, library bool, workspace int64) *Plan {
	made := &Plan{}
	l := lowering{layout: &made.Layout, memory: &memory{}, training: true}
	bytes := int64(4)
	if p.Half {
		bytes = 2
	}
	taps := int64(p.O) * int64(p.Kernel*p.Kernel*p.C)
	x, w, y := l.scratch(int64(p.N*p.H*p.W*p.C)*bytes), l.scratch(taps*4), l.scratch(int64(p.N*p.YH*p.YW*p.O)*bytes)
	c := Conv{Problem: p, Bytes: workspace, Input: x, Weight: w, Output: y, Workspace: Ref{In: Null}}
	if workspace > 0 {
		c.Workspace = l.scratch(workspace)
	}
	types := pair(p.Half, p.Half)
	switch {
	case library:
		l.emit(c)
	case p.Kind == WeightGrad:
		l.ownWeightGrad(c, w, types)
	default:
		l.own(c, w, Ref{In: Null}, 0, types)
	}
	made.Train, made.Library = l.steps, l.library
	made.offsets, made.Bytes = l.memory.place()
	for _, b := range l.memory.buffers {
		made.sizes = append(made.sizes, int64(b.Bytes))
	}
	return made
}

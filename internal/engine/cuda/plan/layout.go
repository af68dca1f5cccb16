package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

// parameterAlignment is that of a parameter, in values: 16 bytes of bfloat16 are
// what a tensor core loads at once, and cuDNN faults on less.
const parameterAlignment = 64

// Layout says where each parameter lies in Params, and how. What is between the
// parameters is zero, and stays so: its gradients are.
type Layout struct {
	lower.Layout
	params []arch.Param
	// dims are [O,C,H,W] of a weight, which lies on the device as [O,H,W,C]: of a transposed
	// convolution's, [C,O,H,W] and [C,H,W,O].
	dims map[string][4]int
}

func newLayout(net *graph.Net) (Layout, error) {
	l := Layout{Layout: lower.NewLayout(net.Params, parameterAlignment), params: net.Params, dims: weightDims(net)}
	for _, p := range net.Params {
		if d := l.dims[p.Name]; p.Role == arch.Weight && d[0]*d[1]*d[2]*d[3] != p.Size() {
			return l, fmt.Errorf("parameter %s has shape %v; no convolution or dense layer uses it so", p.Name, p.Shape)
		}
	}
	return l, nil
}

// weightDims are the dimensions of each weight by name: a dense layer's are
// those of its input.
func weightDims(net *graph.Net) map[string][4]int {
	names := map[*gorgonia.Node]string{}
	for name, n := range net.Train.Params {
		names[n] = name
	}
	dims := map[string][4]int{}
	for _, n := range net.Train.Graph.AllNodes() {
		switch n.Op().(type) {
		case ops.Conv2D, ops.ConvTranspose2D, ops.Dense:
			in := lower.Operands(n)
			x, w := in[0].Shape(), in[1]
			s := w.Shape()
			d := [4]int{s[0], x[1], x[2], x[3]}
			if len(s) == 4 {
				d = [4]int{s[0], s[1], s[2], s[3]}
			}
			dims[names[w]] = d
		}
	}
	return dims
}

// at is the parameter's place in a region that has the layout of Params.
func (l *Layout) at(in Region, name string) Ref {
	bytes := int64(4)
	if in == HalfParam || in == HalfGrad {
		bytes = 2
	}
	return Ref{In: in, Offset: int64(l.Offset[name]) * bytes}
}

// running is the place of an untrained parameter's raw average.
func (l *Layout) running(name string) Ref {
	return Ref{In: Running, Offset: int64(l.Offset[name]-l.Trained) * 4}
}

// Pack writes w in the order and layouts of Params; what w lacks is zero.
func (l *Layout) Pack(w arch.Weights) []float32 {
	flat := make([]float32, l.Total)
	for _, p := range l.params {
		if v, ok := w[p.Name]; ok {
			l.each(p, func(device, host int) { flat[device] = v[host] })
		}
	}
	return flat
}

// Unpack is Pack's inverse.
func (l *Layout) Unpack(flat []float32) arch.Weights {
	w := arch.Weights{}
	for _, p := range l.params {
		v := make([]float32, p.Size())
		l.each(p, func(device, host int) { v[host] = flat[device] })
		w[p.Name] = v
	}
	return w
}

// each calls f with a value's place in Params and in the host's tensor.
func (l *Layout) each(p arch.Param, f func(device, host int)) {
	at, dims := l.Offset[p.Name], l.dims[p.Name]
	c, area := dims[1], dims[2]*dims[3]
	if p.Role != arch.Weight {
		c, area = 1, p.Size()
	}
	size := c * area
	for i := range p.Size() {
		o, rest := i/size, i%size
		f(at+o*size+rest%area*c+rest/area, i)
	}
}

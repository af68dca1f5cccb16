// Package lower turns Gorgonia graphs made of internal/ops into flat plans: a
// list of steps over NHWC tensors that lie in one arena.
//
// It is pure Go and knows no library. What it does, each in its own file:
// liveness of nodes (walk.go), fusion of what runs in one pass (fuse_*.go), and
// placement of tensors that don't live at the same time at the same offset
// (place.go). Lowering a graph of a hundred nodes costs well under a
// millisecond. A graph with an op, or a use of one, that it doesn't know is an
// error that names the node.
package lower

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// Plan is a lowered graph.
type Plan struct {
	Training bool
	Tensors  []Tensor // the first is the input; the second the images' bytes, where the data are images
	Steps    []Step
	Latent   int // tensor, None in training and for classifiers
	Logits   int
	Arena    int // bytes
}

// Layout is where each parameter lies in the flat array: trained ones first,
// then running averages.
type Layout struct {
	Offset  map[string]int
	Trained int // values
	Running int // values
}

// NewLayout lays out a net's parameters.
func NewLayout(params []arch.Param) Layout {
	l := Layout{Offset: map[string]int{}}
	for _, p := range params {
		if p.Trained() {
			l.Offset[p.Name] = l.Trained
			l.Trained += p.Size()
		}
	}
	for _, p := range params {
		if !p.Trained() {
			l.Offset[p.Name] = l.Trained + l.Running
			l.Running += p.Size()
		}
	}
	return l
}

// Options are what a lowering needs to know beside the graph.
type Options struct {
	Images bool // the data are bytes, not features
	BF16   bool // activations of a training in bfloat16
}

// Train lowers the net's training step: loss, gradients, batch statistics.
func Train(net *graph.Net, l Layout, o Options) (*Plan, error) {
	t := net.Train
	roots := gorgonia.Nodes{t.Loss}
	for _, p := range net.Params {
		if n := t.Grads[p.Name]; p.Trained() {
			roots = append(roots, n)
		} else {
			roots = append(roots, t.Stats[p.Name])
		}
	}
	b, err := newBuilder(net, l, o, t.Graph, roots, t.Params)
	if err != nil {
		return nil, err
	}
	b.training = true
	b.constants[t.Input], b.constants[t.Target] = true, true
	if t.Step != nil {
		b.constants[t.Step] = true
	}
	for name, n := range t.Stats {
		b.stats[n] = l.Offset[name]
	}
	for _, p := range net.Params {
		if n := t.Grads[p.Name]; p.Trained() {
			b.grads[n] = l.Offset[p.Name]
		}
	}
	return b.lower(t.Input)
}

// Infer lowers the net's forward pass, in float32.
func Infer(net *graph.Net, l Layout, o Options) (*Plan, error) {
	o.BF16 = false
	f := net.Infer
	roots := gorgonia.Nodes{f.Logits}
	if f.Latent != nil {
		roots = append(roots, f.Latent)
	}
	b, err := newBuilder(net, l, o, f.Graph, roots, f.Params)
	if err != nil {
		return nil, err
	}
	b.constants[f.Input] = true
	b.latent, b.logits = f.Latent, f.Logits
	return b.lower(f.Input)
}

// lower visits the live nodes in their order; a node that an earlier step has
// taken with it is done already.
func (b *builder) lower(input *gorgonia.Node) (*Plan, error) {
	b.input(input)
	for _, n := range b.order {
		if b.done[n] || b.constants[n] || b.isParam(n) {
			continue
		}
		if err := b.node(n); err != nil {
			return nil, fmt.Errorf("lower: node %d, %v: %w", n.ID(), n, err)
		}
	}
	p := &Plan{Training: b.training, Tensors: b.tensors, Steps: b.steps, Latent: None, Logits: None}
	if b.latent != nil {
		p.Latent = int(b.value[b.latent])
	}
	if b.logits != nil {
		p.Logits = int(b.value[b.logits])
	}
	p.place()
	return p, nil
}

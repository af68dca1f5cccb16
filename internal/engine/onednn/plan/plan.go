// Package plan turns Gorgonia graphs made of internal/ops into flat plans for
// package native: a list of steps over NHWC tensors that lie in one arena.
//
// It is pure Go and knows no library. Package lower says what lives and what
// belongs together; here is what runs in one pass (fuse_*.go) and what a step
// is. Lowering a graph of a hundred nodes costs well under a millisecond. A graph
// with an op, or a use of one, that it doesn't know is an error that names the
// node.
package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine/lower"
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

// Options are what a lowering needs to know beside the graph.
type Options struct {
	Images bool // the data are bytes, not features
	BF16   bool // activations of a training in bfloat16
}

// NewLayout lays out a net's parameters as the native steps read them, without gaps.
func NewLayout(params []arch.Param) lower.Layout { return lower.NewLayout(params, 1) }

// Train lowers the net's training step: loss, gradients, batch statistics.
func Train(net *graph.Net, l lower.Layout, o Options) (*Plan, error) {
	g, err := lower.Train(net)
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(net, g, l, o)
	if err != nil {
		return nil, err
	}
	b.training = true
	return b.lower(net.Train.Input)
}

// Infer lowers the net's forward pass, in float32.
func Infer(net *graph.Net, l lower.Layout, o Options) (*Plan, error) {
	o.BF16 = false
	b, err := newBuilder(net, lower.Infer(net), l, o)
	if err != nil {
		return nil, err
	}
	b.latent, b.logits = net.Infer.Latent, net.Infer.Logits
	return b.lower(net.Infer.Input)
}

// lower visits the live nodes in their order; a node that an earlier step has
// taken with it is done already, and what is given (input, parameters) has no step.
func (b *builder) lower(input *gorgonia.Node) (*Plan, error) {
	b.input(input)
	for _, n := range b.Order {
		if b.done[n] || n.Op() == nil {
			continue
		}
		if err := b.node(n); err != nil {
			return nil, fmt.Errorf("plan: node %d, %v: %w", n.ID(), n, err)
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

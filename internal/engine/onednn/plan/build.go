package plan

import (
	"errors"
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/engine/lower"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

// builder is a lowering in progress.
type builder struct {
	*lower.Graph
	layout   lower.Layout
	options  Options
	training bool

	latent, logits *gorgonia.Node // of an inference

	tensors []Tensor
	steps   []Step
	value   map[*gorgonia.Node]int32 // tensors of nodes
	indices map[*gorgonia.Node]int32 // of poolings
	masks   map[ops.Dropout]int32
	moments map[*lower.Norm]int32    // statistics of batch norms
	biases  map[*gorgonia.Node]int32 // that values lack, for the norm that reads them adds them
	bytes   int32                    // the images, or None
	held    map[*gorgonia.Node]bool  // values that a way back reads though the graph has no edge that says so
	done    map[*gorgonia.Node]bool
}

func newBuilder(net *graph.Net, g *lower.Graph, l lower.Layout, o Options) (*builder, error) {
	if net.Loss != graph.CrossEntropy && !o.Images {
		return nil, errors.New("plan: an autoencoder reconstructs images; its data have none")
	}
	return &builder{
		Graph: g, layout: l, options: o, bytes: None,
		value: map[*gorgonia.Node]int32{}, indices: map[*gorgonia.Node]int32{},
		moments: map[*lower.Norm]int32{}, masks: map[ops.Dropout]int32{}, biases: map[*gorgonia.Node]int32{}, held: map[*gorgonia.Node]bool{}, done: map[*gorgonia.Node]bool{},
	}, nil
}

// param is the offset of node n, which must be a parameter.
func (b *builder) param(n *gorgonia.Node) (int32, error) {
	name, ok := b.Param(n)
	if !ok {
		return None, fmt.Errorf("%v is not a parameter", n)
	}
	return b.named(name), nil
}

// grad is the offset of the gradient that n is.
func (b *builder) grad(n *gorgonia.Node) (int32, error) {
	name, ok := b.Grad(n)
	if !ok {
		return None, fmt.Errorf("%v is no parameter's gradient", n)
	}
	return b.named(name), nil
}

func (b *builder) named(param string) int32 { return int32(b.layout.Offset[param]) }

// tensor makes a tensor of n's shape.
func (b *builder) tensor(n *gorgonia.Node, width int) int32 {
	s := n.Shape()
	return b.newTensor(Tensor{N: s[0], C: s[1], H: s[2], W: s[3], Width: width})
}

func (b *builder) newTensor(t Tensor) int32 {
	b.tensors = append(b.tensors, t)
	return int32(len(b.tensors) - 1)
}

// real is the width of an activation.
func (b *builder) real() int {
	if b.options.BF16 {
		return 2
	}
	return 4
}

// set makes the tensor of n's value.
func (b *builder) set(n *gorgonia.Node) int32 {
	b.value[n] = b.tensor(n, b.real())
	return b.value[n]
}

// reuse gives y the tensor of x where nobody else needs x, else a new one.
func (b *builder) reuse(y, x *gorgonia.Node) int32 {
	if len(b.Users(x)) == 1 && !b.Kept(x) && !b.held[x] && x.Op() != nil {
		b.value[y] = b.value[x]
		return b.value[y]
	}
	return b.set(y)
}

// at is the tensor of n's value, which an earlier step has made.
func (b *builder) at(n *gorgonia.Node) (int32, error) {
	t, ok := b.value[n]
	if !ok {
		return None, fmt.Errorf("the value of %v is not there", n)
	}
	return t, nil
}

func (b *builder) add(s Step) { b.steps = append(b.steps, s) }

func (b *builder) input(n *gorgonia.Node) {
	s := newStep(Input)
	s.Y = b.set(n)
	if b.options.Images {
		s.Aux = b.tensor(n, 1)
		b.bytes = s.Aux
	}
	b.add(s)
}

package lower

import (
	"errors"
	"fmt"
	"sort"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

// builder is a lowering in progress.
type builder struct {
	net      *graph.Net
	layout   Layout
	options  Options
	training bool

	order     gorgonia.Nodes                    // live nodes, children first
	kids      map[*gorgonia.Node]gorgonia.Nodes // inputs, in the op's order
	users     map[*gorgonia.Node]gorgonia.Nodes // nodes that need a node's value
	params    map[*gorgonia.Node]int            // offsets of parameters
	grads     map[*gorgonia.Node]int            // offsets of gradients
	stats     map[*gorgonia.Node]int            // offsets of running averages, by the statistic that feeds them
	constants map[*gorgonia.Node]bool           // nodes without a step: input, target, step count

	latent, logits *gorgonia.Node // of an inference

	tensors []Tensor
	steps   []Step
	value   map[*gorgonia.Node]int32 // tensors of nodes
	indices map[*gorgonia.Node]int32 // of poolings
	masks   map[ops.Dropout]int32
	moments map[*gorgonia.Node]int32 // statistics of batch norms, by their input
	bytes   int32                    // the images, or None
	done    map[*gorgonia.Node]bool
}

func newBuilder(net *graph.Net, l Layout, o Options, g *gorgonia.ExprGraph, roots gorgonia.Nodes, params map[string]*gorgonia.Node) (*builder, error) {
	if net.Loss != graph.CrossEntropy && !o.Images {
		return nil, errors.New("lower: an autoencoder reconstructs images; its data have none")
	}
	b := &builder{
		net: net, layout: l, options: o, bytes: None,
		kids: map[*gorgonia.Node]gorgonia.Nodes{}, users: map[*gorgonia.Node]gorgonia.Nodes{},
		params: map[*gorgonia.Node]int{}, grads: map[*gorgonia.Node]int{}, stats: map[*gorgonia.Node]int{},
		constants: map[*gorgonia.Node]bool{}, value: map[*gorgonia.Node]int32{}, indices: map[*gorgonia.Node]int32{},
		moments: map[*gorgonia.Node]int32{}, masks: map[ops.Dropout]int32{}, done: map[*gorgonia.Node]bool{},
	}
	for name, n := range params {
		b.params[n] = l.Offset[name]
	}
	b.walk(g, roots)
	return b, nil
}

// walk finds the nodes that the roots need. Ids are a topological order, for a
// node's children exist before it.
func (b *builder) walk(g *gorgonia.ExprGraph, roots gorgonia.Nodes) {
	live := map[*gorgonia.Node]bool{}
	var mark func(n *gorgonia.Node)
	mark = func(n *gorgonia.Node) {
		if live[n] {
			return
		}
		live[n] = true
		b.order = append(b.order, n)
		for it, i := g.From(n.ID()), 0; it.Next(); i++ {
			kid := it.Node().(*gorgonia.Node)
			b.kids[n] = append(b.kids[n], kid)
			if needs(n.Op(), i) {
				b.users[kid] = append(b.users[kid], n)
				mark(kid)
			}
		}
	}
	for _, r := range roots {
		mark(r)
	}
	sort.Slice(b.order, func(i, j int) bool { return b.order[i].ID() < b.order[j].ID() })
}

// needs tells whether the lowered form of an op reads its i-th input: gradients
// of most activations need the output alone, that of pooling the indices, and
// losses compare with the batch's own bytes or labels.
func needs(op gorgonia.Op, i int) bool {
	switch o := op.(type) {
	case ops.ActivationGrad:
		if o.F == arch.SiLU {
			return i != 1
		}
		return i != 0
	case ops.MaxPool2Grad:
		return i == 2
	case ops.BCEWithLogitsGrad, ops.MSEGrad, ops.SoftmaxCrossEntropyGrad:
		return i == 0
	case ops.BCEWithLogits, ops.MSE, ops.SoftmaxCrossEntropy, ops.Dropout, ops.DropoutGrad:
		return i == 0
	}
	return true
}

func (b *builder) isParam(n *gorgonia.Node) bool {
	_, ok := b.params[n]
	return ok
}

// param is the offset of node n, which must be a parameter.
func (b *builder) param(n *gorgonia.Node) (int32, error) {
	at, ok := b.params[n]
	if !ok {
		return None, fmt.Errorf("%v is not a parameter", n)
	}
	return int32(at), nil
}

// sole is n's only user, where that has an op of type T and n itself is not wanted.
func sole[T gorgonia.Op](b *builder, n *gorgonia.Node) (*gorgonia.Node, T, bool) {
	var none T
	if len(b.users[n]) != 1 || n == b.latent || n == b.logits {
		return nil, none, false
	}
	u := b.users[n][0]
	op, ok := u.Op().(T)
	return u, op, ok
}

// user is n's user with an op that satisfies is, or nil.
func (b *builder) user(n *gorgonia.Node, is func(gorgonia.Op) bool) *gorgonia.Node {
	for _, u := range b.users[n] {
		if is(u.Op()) {
			return u
		}
	}
	return nil
}

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
	width := b.real()
	if b.isLogits(n) {
		width = 4
	}
	b.value[n] = b.tensor(n, width)
	return b.value[n]
}

// isLogits: n goes into a loss.
func (b *builder) isLogits(n *gorgonia.Node) bool {
	return b.user(n, func(o gorgonia.Op) bool { return lossOf(o) >= 0 }) != nil
}

// reuse gives y the tensor of x where nobody else needs x, else a new one.
func (b *builder) reuse(y, x *gorgonia.Node) int32 {
	if len(b.users[x]) == 1 && x != b.latent && x != b.logits && !b.constants[x] && !b.isLogits(y) {
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

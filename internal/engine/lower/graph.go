// Package lower is what the engines that turn Gorgonia graphs into lists of
// steps have in common: which nodes live and who reads them (this file), what
// belongs to one batch norm (norm.go), the loss and its gradient (loss.go),
// where parameters lie (layout.go) and where tensors do (place.go), and the
// numbers that device code knows activations and losses by.
//
// A backend walks a Graph in its order and emits what it emits; nothing here
// knows a library or a device. Reading a graph of a hundred nodes costs well
// under a millisecond.
package lower

import (
	"slices"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

// Graph is the part of an expression graph that some results need.
type Graph struct {
	// Order holds the live nodes, operands first.
	Order gorgonia.Nodes
	// Norms are the batch norms of a training by their input.
	Norms map[*gorgonia.Node]*Norm
	// Loss is a training's; its nodes are nil in an inference.
	Loss Loss

	operands map[*gorgonia.Node]gorgonia.Nodes
	users    map[*gorgonia.Node]gorgonia.Nodes
	kept     gorgonia.Nodes
	params   map[*gorgonia.Node]string
	grads    map[*gorgonia.Node]string
	stats    map[*gorgonia.Node]string
}

// Train reads a net's training step: loss, gradients, batch statistics.
func Train(net *graph.Net) (*Graph, error) {
	t := net.Train
	g := newGraph(t.Params)
	roots := gorgonia.Nodes{t.Loss}
	for _, p := range net.Params {
		if n, ok := t.Grads[p.Name]; ok {
			g.grads[n] = p.Name
			roots = append(roots, n)
		}
		if n, ok := t.Stats[p.Name]; ok {
			g.stats[n] = p.Name
			roots = append(roots, n)
		}
	}
	g.walk(roots)
	if err := g.findLoss(t.Loss, net.Blend); err != nil {
		return nil, err
	}
	return g, g.findNorms()
}

// Infer reads a net's forward pass. Its latent and its logits are kept.
func Infer(net *graph.Net) *Graph {
	f := net.Infer
	g := newGraph(f.Params)
	g.kept = gorgonia.Nodes{f.Logits}
	if f.Latent != nil {
		g.kept = append(g.kept, f.Latent)
	}
	g.walk(g.kept)
	return g
}

func newGraph(params map[string]*gorgonia.Node) *Graph {
	g := &Graph{
		Norms:    map[*gorgonia.Node]*Norm{},
		operands: map[*gorgonia.Node]gorgonia.Nodes{}, users: map[*gorgonia.Node]gorgonia.Nodes{},
		params: map[*gorgonia.Node]string{}, grads: map[*gorgonia.Node]string{}, stats: map[*gorgonia.Node]string{},
	}
	for name, n := range params {
		g.params[n] = name
	}
	return g
}

// walk finds the nodes that the roots need. Ids are a topological order, for a
// node's operands exist before it.
func (g *Graph) walk(roots gorgonia.Nodes) {
	live := map[*gorgonia.Node]bool{}
	var mark func(n *gorgonia.Node)
	mark = func(n *gorgonia.Node) {
		if live[n] {
			return
		}
		live[n] = true
		g.Order = append(g.Order, n)
		g.operands[n] = Operands(n)
		for i, x := range g.operands[n] {
			if reads(n.Op(), i) {
				mark(x)
			}
		}
	}
	for _, r := range roots {
		mark(r)
	}
	slices.SortFunc(g.Order, func(a, b *gorgonia.Node) int { return int(a.ID() - b.ID()) })
	for _, n := range g.Order {
		for i, x := range g.operands[n] {
			if reads(n.Op(), i) {
				g.users[x] = append(g.users[x], n)
			}
		}
	}
}

// Operands are the inputs of n's op, in its order.
func Operands(n *gorgonia.Node) gorgonia.Nodes {
	var in gorgonia.Nodes
	for it := n.Graph().From(n.ID()); it.Next(); {
		in = append(in, it.Node().(*gorgonia.Node))
	}
	return in
}

// reads tells whether the lowered form of an op reads its i-th operand:
// gradients of most activations need the output alone, that of pooling the
// places of the maxima, and losses compare with the batch's own bytes or labels.
func reads(op gorgonia.Op, i int) bool {
	switch o := op.(type) {
	case ops.ActivationGrad:
		if o.F == arch.SiLU {
			return i != 1
		}
		return i != 0
	case ops.MaxPool2Grad:
		return i == 2
	case ops.BCEWithLogitsGrad, ops.MSEGrad, ops.BlendGrad, ops.SoftmaxCrossEntropyGrad,
		ops.BCEWithLogits, ops.MSE, ops.Blend, ops.SoftmaxCrossEntropy, ops.Dropout, ops.DropoutGrad, ops.Noise:
		return i == 0
	}
	return true
}

// In are the operands of a live node.
func (g *Graph) In(n *gorgonia.Node) gorgonia.Nodes { return g.operands[n] }

// Users are the live nodes that read n's value.
func (g *Graph) Users(n *gorgonia.Node) gorgonia.Nodes { return g.users[n] }

// User is n's first user with an op that satisfies is, or nil.
func (g *Graph) User(n *gorgonia.Node, is func(gorgonia.Op) bool) *gorgonia.Node {
	for _, u := range g.users[n] {
		if is(u.Op()) {
			return u
		}
	}
	return nil
}

// Kept tells whether n is a result, which must be whole at the end.
func (g *Graph) Kept(n *gorgonia.Node) bool { return slices.Contains(g.kept, n) }

// Param is the name of the parameter that n is.
func (g *Graph) Param(n *gorgonia.Node) (name string, ok bool) {
	name, ok = g.params[n]
	return name, ok
}

// Grad is the name of the parameter whose gradient n is.
func (g *Graph) Grad(n *gorgonia.Node) (name string, ok bool) {
	name, ok = g.grads[n]
	return name, ok
}

// Sole is n's only user where that has an op of type T and n is not kept: the
// two can be one step.
func Sole[T gorgonia.Op](g *Graph, n *gorgonia.Node) (user *gorgonia.Node, op T, ok bool) {
	if len(g.users[n]) != 1 || g.Kept(n) {
		return nil, op, false
	}
	user = g.users[n][0]
	op, ok = user.Op().(T)
	return user, op, ok
}

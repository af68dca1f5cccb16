package ref

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// machine is a tape machine over a private copy of the part of a graph that
// some outputs need. Nodes are those of the graph it was copied from.
type machine struct {
	graph *gorgonia.ExprGraph
	vm    gorgonia.VM
}

// newMachine compiles what outputs need of g. Every input must be needed.
func newMachine(g *gorgonia.ExprGraph, inputs, outputs []*gorgonia.Node) (*machine, error) {
	if err := checkHashes(g); err != nil {
		return nil, err
	}
	m := &machine{graph: g.Clone().(*gorgonia.ExprGraph)}
	var roots gorgonia.Nodes
	var watch []any
	for _, n := range outputs {
		roots, watch = append(roots, m.own(n)), append(watch, m.own(n))
	}
	var args gorgonia.Nodes
	for _, n := range inputs {
		args = append(args, m.own(n))
	}
	program, places, err := gorgonia.CompileFunction(m.graph, args, roots)
	if err != nil {
		return nil, err
	}
	// The machine's own additions overwrite dead values in place, and outputs are
	// dead to it: tracing copies them out as they are made.
	m.vm = gorgonia.NewTapeMachine(m.graph, gorgonia.WithPrecompiled(program, places),
		gorgonia.TraceExec(), gorgonia.WithWatchlist(watch...))
	return m, nil
}

// checkHashes refuses a graph in which two nodes have one hash: the compiler
// would take them for one.
func checkHashes(g *gorgonia.ExprGraph) error {
	seen := map[uint32]*gorgonia.Node{}
	for _, n := range g.AllNodes() {
		if other, ok := seen[n.Hashcode()]; ok {
			return fmt.Errorf("nodes %d and %d of the graph have one hash, %#x", other.ID(), n.ID(), n.Hashcode())
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

func (m *machine) own(n *gorgonia.Node) *gorgonia.Node {
	return m.graph.Node(n.ID()).(*gorgonia.Node)
}

// bind gives input n the values of v from now on: v may change between runs.
func (m *machine) bind(n *gorgonia.Node, v []float32) error {
	return gorgonia.Let(m.own(n), tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(v)))
}

// set gives the scalar input n a value.
func (m *machine) set(n *gorgonia.Node, v float32) error {
	return gorgonia.Let(m.own(n), gorgonia.NewF32(v))
}

func (m *machine) run() error {
	m.vm.Reset()
	return m.vm.RunAll()
}

// read is the value of output or input n after a run, not to be changed.
func (m *machine) read(n *gorgonia.Node) []float32 {
	switch v := m.own(n).Value().Data().(type) {
	case float32:
		return []float32{v}
	case []float32:
		return v
	default:
		panic(fmt.Sprintf("ref: node %v holds %T", n, v))
	}
}

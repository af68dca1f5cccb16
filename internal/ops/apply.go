package ops

import (
	"fmt"
	"reflect"

	"gorgonia.org/gorgonia"
)

// Apply adds op to the graph of its inputs. It fails where the shapes don't fit
// and where Gorgonia took the new node for one that it already has.
func Apply(op gorgonia.Op, inputs ...*gorgonia.Node) (*gorgonia.Node, error) {
	if len(inputs) == 0 {
		return nil, fmt.Errorf("%v: no inputs", op)
	}
	g := inputs[0].Graph()
	before := len(g.AllNodes())
	n, err := gorgonia.ApplyOp(op, inputs...)
	if err != nil {
		return nil, err
	}
	if len(g.AllNodes()) != before+1 {
		return nil, fmt.Errorf("%v: merged with node %v of the graph", op, n)
	}
	return n, nil
}

// IsGradientSum tells whether n is the element-wise addition that Gorgonia puts
// into a backward graph where a value has several users. It takes two inputs of
// one shape and gives their sum.
func IsGradientSum(n *gorgonia.Node) bool {
	op, ok := n.Op().(gorgonia.BinaryOp)
	return ok && op.IsBinary() && len(op.String()) > 0 && op.String()[0] == '+' &&
		reflect.TypeOf(op).PkgPath() == reflect.TypeFor[gorgonia.Iop]().PkgPath()
}

// gradients applies one op after the other and gathers the nodes; the first
// error stays.
type gradients struct{ err error }

func (g *gradients) apply(op gorgonia.Op, inputs ...*gorgonia.Node) *gorgonia.Node {
	if g.err != nil {
		return nil
	}
	var n *gorgonia.Node
	n, g.err = Apply(op, inputs...)
	return n
}

func shape4(n *gorgonia.Node) (s [4]int) {
	copy(s[:], n.Shape())
	return s
}

package lower

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/ops"
)

// Norm is one batch norm of a training, which Gorgonia keeps in seven nodes.
type Norm struct {
	X, Y           *gorgonia.Node
	Gamma, Beta    string // parameters
	Mean, Variance string // running averages
	// DY is the gradient of Y, and what follows are those that come of it.
	// GradInput is nil where nobody needs the gradient of X.
	DY                             *gorgonia.Node
	GradInput, GradGamma, GradBeta *gorgonia.Node
}

// findNorms joins the nodes of each batch norm.
func (g *Graph) findNorms() error {
	for _, n := range g.Order {
		if _, ok := n.Op().(ops.BatchNorm); ok {
			in := g.operands[n]
			g.Norms[in[0]] = &Norm{X: in[0], Y: n, Gamma: g.params[in[1]], Beta: g.params[in[2]]}
		}
	}
	for _, n := range g.Order {
		in := g.operands[n]
		switch n.Op().(type) {
		case ops.BatchMean:
			g.Norms[in[0]].Mean = g.stats[n]
		case ops.BatchVariance:
			g.Norms[in[0]].Variance = g.stats[n]
		case ops.BatchNormGradInput:
			g.Norms[in[0]].GradInput = n
		case ops.BatchNormGradGamma:
			norm := g.Norms[in[0]]
			norm.GradGamma, norm.DY = n, in[1]
			norm.GradBeta = g.User(norm.DY, func(o gorgonia.Op) bool { return o == gorgonia.Op(ops.ChannelSum{Of: ops.NormBeta}) })
		}
	}
	for _, norm := range g.Norms {
		switch {
		case norm.Mean == "" || norm.Variance == "":
			return fmt.Errorf("lower: the statistics of batch norm %v feed no running averages", norm.Y)
		case norm.GradGamma == nil || norm.GradBeta == nil:
			return fmt.Errorf("lower: the gradients of batch norm %v are not together", norm.Y)
		}
	}
	return nil
}

// NormBelow is the batch norm whose gradients are made of dy, or nil.
func (g *Graph) NormBelow(dy *gorgonia.Node) *Norm {
	for _, n := range g.users[dy] {
		if _, ok := n.Op().(ops.BatchNormGradGamma); ok {
			return g.Norms[g.operands[n][0]]
		}
	}
	return nil
}

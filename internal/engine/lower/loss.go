package lower

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

// Loss is a training's loss and the gradient that the way back begins with;
// both come of the logits in one pass.
type Loss struct {
	Number       int32 // 0 BCE, 1 MSE, 2 cross-entropy, 3 a blend
	Blend        graph.Blend
	Logits, Grad *gorgonia.Node
}

// lossNumber is a loss op's or its gradient's number, negative for other ops.
func lossNumber(op gorgonia.Op) int32 {
	switch op.(type) {
	case ops.BCEWithLogits, ops.BCEWithLogitsGrad:
		return 0
	case ops.MSE, ops.MSEGrad:
		return 1
	case ops.SoftmaxCrossEntropy, ops.SoftmaxCrossEntropyGrad:
		return 2
	case ops.Blend, ops.BlendGrad:
		return 3
	}
	return -1
}

func (g *Graph) findLoss(loss *gorgonia.Node, blend graph.Blend) error {
	logits := g.operands[loss][0]
	g.Loss = Loss{Number: lossNumber(loss.Op()), Blend: blend, Logits: logits}
	for _, u := range g.users[logits] {
		switch {
		case lossNumber(u.Op()) < 0, u == loss: // the gradient of a last activation reads what it made
		case g.Loss.Grad != nil:
			return fmt.Errorf("lower: the loss has two gradients")
		default:
			g.Loss.Grad = u
		}
	}
	return nil
}

// Activation is the number that device code knows f by, 0 for none.
func Activation(f arch.Activation) int32 {
	switch f {
	case arch.ReLU:
		return 1
	case arch.Sigmoid:
		return 2
	case arch.LeakyReLU:
		return 3
	case arch.ELU:
		return 4
	case arch.SiLU:
		return 5
	}
	return 0
}

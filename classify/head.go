package classify

import (
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// Head names the kind of classifier that is put on latents.
type Head string

// The heads, after a standardisation of their input by training statistics.
const (
	// Linear is multinomial logistic regression with scikit-learn's penalty
	// ‖W‖²/2 beside the sum of the losses (C = 1).
	Linear Head = "linear"
	// MLP is 256 hidden units with ReLU and dropout.
	MLP Head = "mlp"
	// ConvNet is two 3×3 convolutions with batch norm, one halving where the
	// latent is at least 4×4, and a hidden layer of 256.
	ConvNet Head = "conv"
)

// Heads are all of them.
var Heads = []Head{Linear, MLP, ConvNet}

// Validate refuses what is not a head.
func (h Head) Validate() error {
	var names []string
	for _, known := range Heads {
		if h == known {
			return nil
		}
		names = append(names, string(known))
	}
	return fault.Usagef("--head %s: there is %s", h, strings.Join(names, ", "))
}

// recipe is how a head is trained.
type recipe struct {
	epochs, patience int
	rate             float64 // the top of a one-cycle schedule
}

var recipes = map[Head]recipe{
	Linear:  {epochs: 10, patience: 4, rate: 1e-2},
	MLP:     {epochs: 30, patience: 8, rate: 3e-3},
	ConvNet: {epochs: 20, patience: 8, rate: 3e-3},
}

// stack is the head's network for features of the shape in.
func (h Head) stack(in arch.Shape, classes int) arch.Stack {
	relu := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}
	dense := func(n int) arch.Layer { return arch.Layer{Kind: arch.Dense, Filters: n} }
	drop := func(rate float64) arch.Layer { return arch.Layer{Kind: arch.Dropout, Rate: rate} }
	switch h {
	case Linear:
		return arch.Stack{dense(classes)}
	case MLP:
		return arch.Stack{dense(256), relu, drop(0.2), dense(classes)}
	}
	block := []arch.Layer{{Kind: arch.Conv, Filters: 64, Kernel: 3, Stride: 1}, {Kind: arch.BatchNorm}, relu}
	s := append(append(arch.Stack{}, block...), block...)
	if in.H >= 4 && in.W >= 4 {
		s = append(s, arch.Layer{Kind: arch.MaxPool})
	}
	return append(s, drop(0.3), dense(256), relu, drop(0.3), dense(classes))
}

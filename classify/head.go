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
	// MLP is two hidden layers of 512 with batch norm, ReLU and dropout of a half.
	MLP Head = "mlp"
	// ConvNet is two 3×3 convolutions of 64 filters with batch norm, each halved by
	// max pooling where it is large enough (8×8, and 4×4 for the second), and a
	// hidden layer of 256.
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

// recipe is how a head is trained: with Adam, one recipe for all data.
type recipe struct {
	epochs, patience int
	rate             float64 // the top of a one-cycle schedule
}

var recipes = map[Head]recipe{
	Linear:  {epochs: 10, patience: 4, rate: 1e-2},
	MLP:     {epochs: 20, patience: 8, rate: 3e-3},
	ConvNet: {epochs: 12, patience: 8, rate: 3e-3},
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
		norm := arch.Layer{Kind: arch.BatchNorm}
		return arch.Stack{dense(512), norm, relu, drop(0.5), dense(512), norm, relu, drop(0.5), dense(classes)}
	}
	var s arch.Stack
	for _, halved := range []int{8, 4} {
		s = append(s, arch.Layer{Kind: arch.Conv, Filters: 64, Kernel: 3, Stride: 1}, arch.Layer{Kind: arch.BatchNorm}, relu)
		if min(in.H, in.W) >= halved {
			s = append(s, arch.Layer{Kind: arch.MaxPool})
			in.H, in.W = (in.H+1)/2, (in.W+1)/2
		}
	}
	return append(s, drop(0.3), dense(256), relu, drop(0.3), dense(classes))
}

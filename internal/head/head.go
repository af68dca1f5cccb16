// Package head trains classifiers on labelled features, and gives them as ONNX.
//
// A kind of head has one network and one recipe for all data: Adam, a one-cycle
// schedule of 10, 20 and 12 epochs (linear, mlp, conv), and the weights of the epoch
// with the least loss on a tenth of the rows set apart. A linear head then goes on to
// the optimum of its penalised loss on all rows.
//
// Promises: the standardisation before a head is of its own training rows. Equal
// arguments give equal weights on one engine and device.
//
// Costs: the features once more, standardised; on one core of 2023, for 50,000 rows of
// 512 values: seconds (linear), one minute (mlp), two (conv, at 2×16×16; it grows with
// height × width).
package head

import (
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// Kind names what is put on features.
type Kind string

// The kinds, after a standardisation of their input by training statistics.
const (
	// Linear is multinomial logistic regression with scikit-learn's penalty
	// ‖W‖²/2 beside the sum of the losses (C = 1).
	Linear Kind = "linear"
	// MLP is two hidden layers of 512 with batch norm, ReLU and dropout of a half.
	MLP Kind = "mlp"
	// ConvNet is two 3×3 convolutions of 64 filters with batch norm, each halved by
	// max pooling where it is large enough (8×8, and 4×4 for the second), and a
	// hidden layer of 256.
	ConvNet Kind = "conv"
)

// Kinds are all of them.
var Kinds = []Kind{Linear, MLP, ConvNet}

// Validate refuses what is none of them.
func (k Kind) Validate() error {
	var names []string
	for _, known := range Kinds {
		if k == known {
			return nil
		}
		names = append(names, string(known))
	}
	return fault.Usagef("--head %s: there is %s", k, strings.Join(names, ", "))
}

// recipe is how a head is trained.
type recipe struct {
	epochs, patience int
	rate             float64 // the top of a one-cycle schedule
}

var recipes = map[Kind]recipe{
	Linear:  {epochs: 10, patience: 4, rate: 1e-2},
	MLP:     {epochs: 20, patience: 8, rate: 3e-3},
	ConvNet: {epochs: 12, patience: 8, rate: 3e-3},
}

// stack is the head's network for features of the shape in.
func (k Kind) stack(in arch.Shape, classes int) arch.Stack {
	relu := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}
	dense := func(n int) arch.Layer { return arch.Layer{Kind: arch.Dense, Filters: n} }
	drop := func(rate float64) arch.Layer { return arch.Layer{Kind: arch.Dropout, Rate: rate} }
	switch k {
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

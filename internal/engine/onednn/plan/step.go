package plan

import (
	"moncae/internal/arch"
	"moncae/internal/engine/lower"
	"moncae/internal/graph"
)

// Kind is what a step does. The comments name the fields that it reads.
type Kind int32

// The kinds of steps.
const (
	Input           Kind = iota // Y, Aux (bytes, or None): the batch's rows
	Conv                        // X, Y, Weight, Bias (or None), Kernel, Stride, Act; with Norm (folded) Gamma … Variance
	ConvGradWeight              // X, DY, Weight, Bias (or None), Kernel, Stride: gradients of weights and bias
	ConvGradInput               // DY, DX, Weight, Kernel, Stride
	Dense                       // as Conv
	DenseGradWeight             // as ConvGradWeight
	DenseGradInput              // as ConvGradInput
	Point                       // X, Y, Aux (pooling's indices), Stats; Bias (or None), Norm, Act, Resample in this order
	PointGrad                   // DY, DX, Y, X, Aux, Stats: the way back through Before, Norm, Act, Resample
	Dropout                     // X, Y, Aux (mask), Rate, Layer, Seed
	DropoutGrad                 // DY, DX, Aux, Rate
	Add                         // X, X2, Y
	LossGrad                    // X (logits), DX, Aux (bytes), Loss, Blend
	UpConv                      // as Conv, of X upsampled; Aux (Y's four phases)
	UpConvGrad                  // X, DY, Aux (DY's phases), Weight, Bias, Kernel: their gradients; with DX that too, X2 (its four parts)
	Widen                       // X, Y: bfloat16 to float32
	Noise                       // X, Y, Rate (sigma), Layer, Seed
	BiasGrad                    // DY, Bias: the gradient of a bias alone
	Kinds
)

var kindNames = [Kinds]string{
	"input", "conv", "conv grad weight", "conv grad input", "dense", "dense grad weight", "dense grad input",
	"point", "point grad", "dropout", "dropout grad", "add", "loss",
	"upsample and conv", "upsample and conv grad", "widen", "noise", "bias grad",
}

func (k Kind) String() string { return kindNames[k] }

// None stands for a tensor or parameter that a step doesn't have.
const None = -1

var silu = lower.Activation(arch.SiLU)

// Resample is what follows an activation.
type Resample int32

// The ways to resample.
const (
	Plain Resample = iota
	Pool
	Upsample
)

// Step is one call. Tensors are indices into Plan.Tensors; Weight … Variance are
// offsets into the parameters, and into their gradients.
type Step struct {
	Kind                                      Kind
	X, X2, Y, DY, DX, Aux, Stats              int32
	Weight, Bias, Gamma, Beta, Mean, Variance int32
	Kernel, Stride                            int32
	Act, Before                               int32 // lower.Activation, 0 for none
	Resample                                  Resample
	Norm                                      bool
	Transposed                                bool  // of a transposed convolution, for Describe
	Loss                                      int32 // lower.Loss.Number
	Rate                                      float64
	Blend                                     graph.Blend // with Loss of a blend
	Layer                                     uint32
	Seed                                      uint64
}

// newStep is a step of a kind without tensors and parameters.
func newStep(k Kind) Step {
	return Step{
		Kind: k, X: None, X2: None, Y: None, DY: None, DX: None, Aux: None, Stats: None,
		Weight: None, Bias: None, Gamma: None, Beta: None, Mean: None, Variance: None,
	}
}

// tensors are those that the step reads or writes.
func (s *Step) tensors() []int32 {
	var ts []int32
	for _, t := range [...]int32{s.X, s.X2, s.Y, s.DY, s.DX, s.Aux, s.Stats} {
		if t != None {
			ts = append(ts, t)
		}
	}
	return ts
}

// Tensor is an NHWC tensor of the arena.
type Tensor struct {
	N, C, H, W int
	Width      int // bytes a value: 1 uint8, 2 bfloat16, 4 float32
	Offset     int // bytes into the arena
}

// Bytes is the size of the tensor.
func (t Tensor) Bytes() int { return t.N * t.C * t.H * t.W * t.Width }

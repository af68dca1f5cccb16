package arch

import "fmt"

// Kind names what a layer does.
type Kind string

// The kinds of layer. Every one maps a CHW shape to a CHW shape.
const (
	Conv      Kind = "conv"       // Filters, Kernel, Stride; zero padding Kernel/2; with bias
	BatchNorm Kind = "batch_norm" // per channel, epsilon BatchNormEpsilon
	Activate  Kind = "activation" // Activation
	Dropout   Kind = "dropout"    // Rate; survivors are scaled by 1/(1−Rate); identity outside training
	MaxPool   Kind = "max_pool"   // windows of 2, stride 2; odd sides padded by one on both ends
	Upsample  Kind = "upsample"   // nearest ×2, then the first row or column is cut off where To is odd
	Add       Kind = "add"        // adds the value From of the same stack (residual)
	Dense     Kind = "dense"      // Filters outputs from all values in CHW order; output Filters×1×1
	// Transpose is the transposed convolution of stride 2: the way back, with weights of its
	// own, of a Conv of that Kernel and Stride 2 that read Filters channels of size To. With bias.
	Transpose Kind = "conv_transpose"
)

// BatchNormEpsilon is added to the variance in batch normalisation.
const BatchNormEpsilon = 1e-3

// Activation names an activation function.
type Activation string

// The activation functions.
const (
	ReLU      Activation = "relu"
	Sigmoid   Activation = "sigmoid"
	LeakyReLU Activation = "leaky_relu" // slope 0.01 below zero
	ELU       Activation = "elu"        // alpha 1
	SiLU      Activation = "silu"       // x·sigmoid(x)
)

// LeakySlope is the slope of LeakyReLU below zero.
const LeakySlope = 0.01

// Limits of what is taken for a network; beyond them sizes and costs could
// overflow.
const (
	MaxFilters = 1 << 16 // of a layer, and channels of an input
	MaxKernel  = 99
	MaxValues  = 1<<31 - 1 // of one activation of one image, and of one parameter
)

// check tells whether the shape is one that a network can have.
func (s Shape) check() error {
	if s.C < 1 || s.H < 1 || s.W < 1 {
		return fmt.Errorf("shape %v: every side must be at least 1", s)
	}
	if s.C > MaxFilters || s.H > MaxValues || s.W > MaxValues/s.H || s.C > MaxValues/(s.H*s.W) {
		return fmt.Errorf("shape %v: more than %d channels or %d values", s, MaxFilters, MaxValues)
	}
	return nil
}

// Layer is one step of a stack. Fields that its kind doesn't use are zero.
type Layer struct {
	Kind       Kind       `json:"kind"`
	Filters    int        `json:"filters,omitempty"`
	Kernel     int        `json:"kernel,omitempty"`
	Stride     int        `json:"stride,omitempty"`
	Activation Activation `json:"activation,omitempty"`
	Rate       float64    `json:"rate,omitempty"`
	// To is the height and width that an upsampling or a transposed convolution ends at.
	To *[2]int `json:"to,omitempty"`
	// From counts a stack's values: 0 is the stack's input, i the output of layer i−1.
	From int `json:"from,omitempty"`
}

// Output is the layer's output shape for the input shape in. An Add is checked
// by its stack, which knows the other operand.
func (l Layer) Output(in Shape) (Shape, error) {
	switch l.Kind {
	case Conv:
		if err := l.checkKernel(); err != nil {
			return in, err
		}
		if l.Stride != 1 && l.Stride != 2 {
			return in, fmt.Errorf("conv: stride %d is not 1 or 2", l.Stride)
		}
		return Shape{l.Filters, ceilDiv(in.H, l.Stride), ceilDiv(in.W, l.Stride)}, nil
	case BatchNorm, Add:
		return in, nil
	case Activate:
		switch l.Activation {
		case ReLU, Sigmoid, LeakyReLU, ELU, SiLU:
			return in, nil
		}
		return in, fmt.Errorf("activation: %q is unknown", l.Activation)
	case Dropout:
		if !(l.Rate >= 0 && l.Rate < 1) {
			return in, fmt.Errorf("dropout: rate %v is not in [0, 1)", l.Rate)
		}
		return in, nil
	case MaxPool:
		return Shape{in.C, ceilDiv(in.H, 2), ceilDiv(in.W, 2)}, nil
	case Upsample:
		return l.doubled(in, in.C)
	case Transpose:
		if err := l.checkKernel(); err != nil {
			return in, err
		}
		return l.doubled(in, l.Filters)
	case Dense:
		if l.Filters < 1 || l.Filters > MaxFilters {
			return in, fmt.Errorf("dense: %d outputs are not 1 … %d", l.Filters, MaxFilters)
		}
		return Shape{l.Filters, 1, 1}, nil
	}
	return in, fmt.Errorf("layer kind %q is unknown", l.Kind)
}

func (l Layer) checkKernel() error {
	if l.Filters < 1 || l.Filters > MaxFilters {
		return fmt.Errorf("%s: %d filters are not 1 … %d", l.Kind, l.Filters, MaxFilters)
	}
	if l.Kernel < 1 || l.Kernel > MaxKernel || l.Kernel%2 == 0 {
		return fmt.Errorf("%s: kernel %d is not an odd number of 1 … %d", l.Kind, l.Kernel, MaxKernel)
	}
	return nil
}

// doubled is the shape of To, which must be twice as large as in, or one less.
func (l Layer) doubled(in Shape, channels int) (Shape, error) {
	if l.To == nil {
		return in, fmt.Errorf("%s: no target size", l.Kind)
	}
	out := Shape{channels, l.To[0], l.To[1]}
	if ceilDiv(out.H, 2) != in.H || ceilDiv(out.W, 2) != in.W {
		return in, fmt.Errorf("%s: %d×%d to %d×%d is not a doubling, or one less", l.Kind, in.H, in.W, out.H, out.W)
	}
	return out, nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// Stack is a chain of layers.
type Stack []Layer

// Shapes are the shapes of the stack's values: Shapes(in)[0] is in, and
// Shapes(in)[i] the output of layer i−1.
func (s Stack) Shapes(in Shape) ([]Shape, error) {
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	shapes := make([]Shape, 1, len(s)+1)
	shapes[0] = in
	for i, l := range s {
		out, err := l.Output(shapes[i])
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		if err := out.check(); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
		if l.Kind == Dense && shapes[i].Values() > MaxValues/l.Filters {
			return nil, fmt.Errorf("layer %d: dense: %d×%d weights are more than %d", i, l.Filters, shapes[i].Values(), MaxValues)
		}
		if l.Kind == Add {
			if l.From < 0 || l.From > i {
				return nil, fmt.Errorf("layer %d: add: there is no value %d yet", i, l.From)
			}
			if from := shapes[l.From]; from != out {
				return nil, fmt.Errorf("layer %d: add: shapes %v and %v differ", i, from, out)
			}
		}
		shapes = append(shapes, out)
	}
	return shapes, nil
}

func (s Stack) mustShapes(in Shape) []Shape {
	shapes, err := s.Shapes(in)
	if err != nil {
		panic("arch: not validated: " + err.Error())
	}
	return shapes
}

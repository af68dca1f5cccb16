package arch

import (
	"fmt"
	"math"
)

// Role says what a parameter tensor is for, and with it how it starts.
type Role string

// The roles. Mean and Variance are running averages: state, not trained.
const (
	Weight   Role = "weight" // conv OIHW, transposed conv IOHW, dense [out, in]
	Bias     Role = "bias"
	Gamma    Role = "gamma"
	Beta     Role = "beta"
	Mean     Role = "mean"
	Variance Role = "variance"
)

// Param is one parameter tensor of a network.
type Param struct {
	Name  string // for example "encoder.0.weight"; unique in the network
	Role  Role
	Shape []int
	// Spread is the standard deviation of a Weight at the start: He for the
	// relu family, Glorot otherwise. Biases, betas and means start at 0, gammas
	// and variances at 1.
	Spread float64
}

// Size is the number of values in the tensor.
func (p Param) Size() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Trained tells whether the optimiser changes the parameter.
func (p Param) Trained() bool { return p.Role != Mean && p.Role != Variance }

// Params lists the network's parameters in the one order that graphs, engines
// and files keep: encoder then decoder, by layer, and within a layer weight,
// bias or gamma, beta, mean, variance.
func (a Arch) Params() []Param {
	return append(a.Encoder.Params("encoder", a.Input), a.Decoder.Params("decoder", a.Latent())...)
}

// Params lists the stack's parameters; their names begin with prefix.
func (s Stack) Params(prefix string, in Shape) []Param {
	shapes := s.mustShapes(in)
	var ps []Param
	for i, l := range s {
		add := func(role Role, spread float64, shape ...int) {
			ps = append(ps, Param{fmt.Sprintf("%s.%d.%s", prefix, i, role), role, shape, spread})
		}
		x := shapes[i]
		switch l.Kind {
		case Conv:
			area := l.Kernel * l.Kernel
			add(Weight, s.spread(i, x.C*area, l.Filters*area), l.Filters, x.C, l.Kernel, l.Kernel)
			add(Bias, 0, l.Filters)
		case Transpose: // an output meets a quarter of the kernel, in the mean
			area := l.Kernel * l.Kernel
			add(Weight, s.spread(i, ceilDiv(x.C*area, 4), l.Filters*area), x.C, l.Filters, l.Kernel, l.Kernel)
			add(Bias, 0, l.Filters)
		case Dense:
			add(Weight, s.spread(i, x.Values(), l.Filters), l.Filters, x.Values())
			add(Bias, 0, l.Filters)
		case BatchNorm:
			add(Gamma, 0, x.C)
			add(Beta, 0, x.C)
			add(Mean, 0, x.C)
			add(Variance, 0, x.C)
		}
	}
	return ps
}

// spread is He's standard deviation where the next activation after layer i is
// of the relu family, Glorot's elsewhere.
func (s Stack) spread(i, fanIn, fanOut int) float64 {
	for _, l := range s[i+1:] {
		switch l.Kind {
		case Activate:
			if l.Activation != Sigmoid {
				return math.Sqrt(2 / float64(fanIn))
			}
			return math.Sqrt(2 / float64(fanIn+fanOut))
		case Conv, Transpose, Dense:
			return math.Sqrt(2 / float64(fanIn+fanOut))
		}
	}
	return math.Sqrt(2 / float64(fanIn+fanOut))
}

// Weights are a network's parameters by name, float32, row-major in the shapes
// that Params gives.
type Weights map[string][]float32

// Check tells the first parameter that w lacks or holds in another size, and
// anything in w that is not a parameter.
func (w Weights) Check(params []Param) error {
	for _, p := range params {
		v, ok := w[p.Name]
		if !ok {
			return fmt.Errorf("weights: %s is missing", p.Name)
		}
		if len(v) != p.Size() {
			return fmt.Errorf("weights: %s has %d values, its shape %v takes %d", p.Name, len(v), p.Shape, p.Size())
		}
	}
	if len(w) != len(params) {
		return fmt.Errorf("weights: %d tensors, the network has %d", len(w), len(params))
	}
	return nil
}

// Clone is a deep copy.
func (w Weights) Clone() Weights {
	c := make(Weights, len(w))
	for k, v := range w {
		c[k] = append([]float32(nil), v...)
	}
	return c
}

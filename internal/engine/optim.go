package engine

import (
	"fmt"
	"math"
	"slices"

	"moncae/internal/arch"
)

// The update rules' constants, Keras' defaults.
const (
	AdamBeta1        = 0.9
	AdamBeta2        = 0.999
	RMSpropRho       = 0.9
	AdadeltaRho      = 0.95
	AdagradStart     = 0.1 // the accumulator before the first step
	SGDMomentum      = 0.9
	OptimizerEpsilon = 1e-7
)

// Optimizer is the reference of the update rules: the state of one parameter
// tensor. State is float32, what is computed between two stores float64. With
// gradient g, learning rate η and step t = 1, 2, …:
//
//	adam      m += (1−β₁)(g−m);  v += (1−β₂)(g²−v);  w −= η·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v+ε)   Kingma and Ba 2015, section 2's efficient order
//	rmsprop   v = ρ·v + (1−ρ)g²;  w −= η·g/√(v+ε)                                        Hinton, lecture 6e
//	adagrad   v += g²;  w −= η·g/√(v+ε)                                                  Duchi, Hazan, Singer 2011
//	adadelta  v = ρ·v + (1−ρ)g²;  d = g·√(m+ε)/√(v+ε);  m = ρ·m + (1−ρ)d²;  w −= η·d      Zeiler 2012
//	sgd       m = 0.9·m − η·g;  w += m                                                   Polyak 1964
type Optimizer struct {
	rule  arch.Optimizer
	m, v  []float32
	steps int
}

// NewOptimizer makes the state for a tensor of n values.
func NewOptimizer(rule arch.Optimizer, n int) (*Optimizer, error) {
	switch rule {
	case arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD:
	default:
		return nil, fmt.Errorf("optimizer %q is unknown", rule)
	}
	o := &Optimizer{rule: rule, m: make([]float32, n), v: make([]float32, n)}
	if rule == arch.Adagrad {
		for i := range o.v {
			o.v[i] = AdagradStart
		}
	}
	return o, nil
}

// Slots copies the state out.
func (o *Optimizer) Slots() (m, v []float32) { return slices.Clone(o.m), slices.Clone(o.v) }

// Restore goes on from the state after so many steps.
func (o *Optimizer) Restore(m, v []float32, steps int) {
	o.steps = steps
	copy(o.m, m)
	copy(o.v, v)
}

// Step updates the parameters w by their gradients g.
func (o *Optimizer) Step(w, g []float32, rate float32) {
	o.steps++
	eta := float64(rate)
	if o.rule == arch.Adam {
		t := float64(o.steps)
		eta *= math.Sqrt(1-math.Pow(AdamBeta2, t)) / (1 - math.Pow(AdamBeta1, t))
	}
	for i := range w {
		m, v, down := o.update(float64(o.m[i]), float64(o.v[i]), float64(g[i]), eta)
		o.m[i], o.v[i] = float32(m), float32(v)
		w[i] = float32(float64(w[i]) - down)
	}
}

// update gives the next state of one value and what is taken off it.
func (o *Optimizer) update(m, v, g, eta float64) (m1, v1, down float64) {
	switch o.rule {
	case arch.Adam:
		m += (1 - AdamBeta1) * (g - m)
		v += (1 - AdamBeta2) * (g*g - v)
		return m, v, eta * m / (math.Sqrt(v) + OptimizerEpsilon)
	case arch.RMSprop:
		v = RMSpropRho*v + (1-RMSpropRho)*g*g
		return m, v, eta * g / math.Sqrt(v+OptimizerEpsilon)
	case arch.Adagrad:
		v += g * g
		return m, v, eta * g / math.Sqrt(v+OptimizerEpsilon)
	case arch.Adadelta:
		v = AdadeltaRho*v + (1-AdadeltaRho)*g*g
		d := g * math.Sqrt(m+OptimizerEpsilon) / math.Sqrt(v+OptimizerEpsilon)
		return AdadeltaRho*m + (1-AdadeltaRho)*d*d, v, eta * d
	}
	m = SGDMomentum*m - eta*g
	return m, v, -m
}

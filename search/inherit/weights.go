package inherit

import (
	"math"

	"moncae/internal/arch"
)

// Share is the part of the child's values that Weights copies of its mother's.
func Share(child, mother Network) float64 {
	hers := familyOf(mother)
	copied, all := 0, 0
	for _, u := range units(child) {
		area := u.kernel * u.kernel
		all += u.out * (u.in*area + 1)
		if u.norm {
			all += u.out * len(normRoles)
		}
		m, found, _ := hers.pair(u)
		if !found {
			continue
		}
		filters, side := min(u.out, m.out), min(u.kernel, m.kernel)
		copied += filters * (min(u.in, m.in)*side*side + 1)
		if u.norm && m.norm {
			copied += filters * len(normRoles)
		}
	}
	return float64(copied) / float64(all)
}

// Weights are the child's first weights: of the mother's, and fresh ones of the child's
// (arch.InitialWeights), which it changes.
func Weights(child, mother Network, hers, fresh arch.Weights) arch.Weights {
	f := familyOf(mother)
	for _, u := range units(child) {
		switch m, found, lacking := f.pair(u); {
		case found:
			u.take(fresh, m, hers)
		case lacking:
			u.pass(fresh)
		}
	}
	return fresh
}

// take copies what u has in common with the mother's unit m.
func (u unit) take(to arch.Weights, m unit, hers arch.Weights) {
	filters, channels, side := min(u.out, m.out), min(u.in, m.in), min(u.kernel, m.kernel)
	scale, shift := m.folded(u, hers)
	w, from := to[u.name(arch.Weight)], hers[m.name(arch.Weight)]
	for o := range filters {
		u.clear(w, o)
		for c := range channels {
			for y := range side {
				a, b := u.middle(o, c, y, side), m.middle(o, c, y, side)
				for x := range side {
					w[a+x] = scale[o] * from[b+x]
				}
			}
		}
		to[u.name(arch.Bias)][o] = scale[o]*hers[m.name(arch.Bias)][o] + shift[o]
	}
	if u.norm && m.norm {
		for _, r := range normRoles {
			copy(to[u.name(r)], hers[m.name(r)][:filters])
		}
	}
}

// middle is the place in the weights of row y of a kernel's middle part with such a side.
func (u unit) middle(filter, channel, y, side int) int {
	edge := (u.kernel - side) / 2
	return u.at(filter, channel) + (edge+y)*u.kernel + edge
}

// at is where a filter's kernel for a channel lies.
func (u unit) at(filter, channel int) int {
	pair := filter*u.in + channel
	if u.transposed {
		pair = channel*u.out + filter
	}
	return pair * u.kernel * u.kernel
}

// clear makes a filter's weights zero.
func (u unit) clear(w []float32, filter int) {
	for c := range u.in {
		clear(w[u.at(filter, c):][:u.kernel*u.kernel])
	}
}

// folded are the factors and the biases by which the mother's convolution u does what its
// batch norm did, where the child's unit has none.
func (u unit) folded(child unit, hers arch.Weights) (scale, shift []float32) {
	scale, shift = make([]float32, u.out), make([]float32, u.out)
	for o := range u.out {
		scale[o] = 1
		if u.norm && !child.norm {
			variance := float64(hers[u.name(arch.Variance)][o])
			scale[o] = float32(float64(hers[u.name(arch.Gamma)][o]) / math.Sqrt(variance+arch.BatchNormEpsilon))
			shift[o] = hers[u.name(arch.Beta)][o] - scale[o]*hers[u.name(arch.Mean)][o]
		}
	}
	return scale, shift
}

// doubling interpolates between neighbours, as a kernel of a transposed convolution.
var doubling = [3][3]float32{{0.25, 0.5, 0.25}, {0.5, 1, 0.5}, {0.25, 0.5, 0.25}}

// pass has u pass its first channels on: by adding nothing to them where they are added, and
// twice as large where it is transposed.
func (u unit) pass(to arch.Weights) {
	if u.skip && u.norm {
		clear(to[u.name(arch.Gamma)])
		return
	}
	w, channels := to[u.name(arch.Weight)], min(u.in, u.out)
	for c := range channels {
		u.clear(w, c)
		switch {
		case u.skip:
		case u.transposed:
			for y, row := range doubling {
				copy(w[u.middle(c, c, y, 3):], row[:])
			}
		default:
			w[u.middle(c, c, 0, 1)] = 1
		}
	}
}

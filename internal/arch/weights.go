package arch

import (
	"hash/fnv"
	"math/rand/v2"
)

// InitialWeights draws a network's weights at the start of a training. A tensor
// of the role Weight is normal with mean 0 and the parameter's Spread, from a
// PCG generator with the states seed and the 64-bit FNV-1a hash of its name: no
// tensor depends on the others. Gammas and variances are 1, the rest 0.
func InitialWeights(params []Param, seed uint64) Weights {
	w := make(Weights, len(params))
	for _, p := range params {
		v := make([]float32, p.Size())
		switch p.Role {
		case Weight:
			name := fnv.New64a()
			name.Write([]byte(p.Name))
			r := rand.New(rand.NewPCG(seed, name.Sum64()))
			for i := range v {
				v[i] = float32(r.NormFloat64() * p.Spread)
			}
		case Gamma, Variance:
			for i := range v {
				v[i] = 1
			}
		}
		w[p.Name] = v
	}
	return w
}

// ScatteredWeights are InitialWeights with biases, betas and means near 0, gammas and
// variances near 1, drawn from r: where they start at their usual places, a trial of
// an engine doesn't show their gradients.
func ScatteredWeights(params []Param, seed uint64, r *rand.Rand) Weights {
	w := InitialWeights(params, seed)
	for _, p := range params {
		for i := range w[p.Name] {
			switch p.Role {
			case Bias, Beta, Mean:
				w[p.Name][i] = float32(0.2 * r.NormFloat64())
			case Gamma, Variance:
				w[p.Name][i] = float32(0.5 + r.Float64())
			}
		}
	}
	return w
}

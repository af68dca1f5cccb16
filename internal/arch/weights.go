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

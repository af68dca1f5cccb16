package onnxnet

import (
	"fmt"
	"math"

	"moncae/internal/arch"
)

// foldable maps each convolution or dense layer to the batch norm that can be
// folded into it: the next layer, dropouts apart, where nothing else reads what
// is between. (A batch norm before a convolution can't be: it would change
// what the padding means.)
func foldable(s arch.Stack) map[int]int {
	read := map[int]bool{} // values that an Add reads
	for _, l := range s {
		if l.Kind == arch.Add {
			read[l.From] = true
		}
	}
	folds := map[int]int{}
	for i, l := range s {
		if l.Kind != arch.Conv && l.Kind != arch.Transpose && l.Kind != arch.Dense {
			continue
		}
		for j := i + 1; j < len(s) && !read[j]; j++ {
			if s[j].Kind == arch.BatchNorm {
				folds[i] = j
			}
			if s[j].Kind != arch.Dropout {
				break
			}
		}
	}
	return folds
}

func isFolded(folds map[int]int, norm int) bool {
	for _, n := range folds {
		if n == norm {
			return true
		}
	}
	return false
}

// affine gives a layer's weight and bias with its batch norm folded in:
// γ·(w∗x + b − μ)/√(σ² + ε) + β is a convolution again. The products are made in
// float64 and rounded once; the conversions keep a processor that can from fusing
// a product with a sum, so that the bytes are the same everywhere.
func (w *writer) affine(l layer) (weight, bias []float32) {
	weight, bias = w.weights[l.prefix+".weight"], w.weights[l.prefix+".bias"]
	if l.norm == "" {
		return weight, bias
	}
	of := func(role arch.Role) []float32 { return w.weights[fmt.Sprintf("%s.%s", l.norm, role)] }
	gamma, beta, mean, variance := of(arch.Gamma), of(arch.Beta), of(arch.Mean), of(arch.Variance)
	foldedWeight, foldedBias := make([]float32, len(weight)), make([]float32, len(bias))
	scales := make([]float64, len(bias))
	for o := range bias {
		scales[o] = float64(gamma[o]) / math.Sqrt(float64(variance[o])+arch.BatchNormEpsilon)
		foldedBias[o] = float32(float64((float64(bias[o])-float64(mean[o]))*scales[o]) + float64(beta[o]))
	}
	run := len(weight) / len(bias) // weights side by side that belong to one output
	if l.Kind == arch.Transpose {  // IOHW
		run = l.Kernel * l.Kernel
	}
	for i, v := range weight {
		foldedWeight[i] = float32(float64(v) * scales[i/run%len(bias)])
	}
	return foldedWeight, foldedBias
}

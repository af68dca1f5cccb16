package graph

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gorgonia.org/gorgonia"

	"moncae/internal/ops"
)

// Loss names what a training minimises: a classifier CrossEntropy, an autoencoder one
// of the others or a sum of them, each with a weight or with 1: "ssim+mse",
// "0.8*ssim+0.2*bce".
type Loss string

// The losses, means over all values (SSIM: over images; CrossEntropy: over the batch).
const (
	BCE          Loss = "bce"  // binary cross-entropy of sigmoid(logits), in nats
	MSE          Loss = "mse"  // squared error of sigmoid(logits)
	SSIM         Loss = "ssim" // 1 − metric.GaussianSSIM of sigmoid(logits)
	CrossEntropy Loss = "xent" // softmax cross-entropy of class logits, in nats
)

// Blend has the weights of an autoencoder's loss.
type Blend struct{ BCE, MSE, SSIM float64 }

// Blend reads an autoencoder's loss.
func (l Loss) Blend() (b Blend, err error) {
	places := map[string]*float64{string(BCE): &b.BCE, string(MSE): &b.MSE, string(SSIM): &b.SSIM}
	for _, term := range strings.Split(string(l), "+") {
		weight, name, weighted := strings.Cut(term, "*")
		if !weighted {
			weight, name = "1", term
		}
		at, known := places[strings.TrimSpace(name)]
		w, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		switch {
		case !known:
			return b, fmt.Errorf("loss %q: %q is not %s, %s or %s, nor a sum of them, for example ssim+mse or 0.8*ssim+0.2*bce", l, term, BCE, MSE, SSIM)
		case err != nil || !(w > 0) || math.IsInf(w, 0):
			return b, fmt.Errorf("loss %q: the weight %q is not a number above 0", l, weight)
		case *at > 0:
			return b, fmt.Errorf("loss %q: %s stands there twice", l, strings.TrimSpace(name))
		}
		*at = w
	}
	return b, nil
}

// Of is the loss that measured means come to; similarity is metric.GaussianSSIM's.
func (b Blend) Of(bce, mse, similarity float64) float64 {
	sum := 0.0
	for _, term := range [][2]float64{{b.BCE, bce}, {b.MSE, mse}, {b.SSIM, 1 - similarity}} {
		if term[0] > 0 {
			sum += term[0] * term[1]
		}
	}
	return sum
}

// op is the loss as an operation.
func (b Blend) op() gorgonia.Op {
	switch b {
	case Blend{BCE: 1}:
		return ops.BCEWithLogits{}
	case Blend{MSE: 1}:
		return ops.MSE{}
	}
	return ops.Blend(b)
}

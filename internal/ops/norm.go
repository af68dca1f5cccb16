package ops

import (
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
)

func (BatchNorm) ranks() []int          { return []int{4, 1, 1, 4} }
func (BatchNormGradInput) ranks() []int { return []int{4, 1, 4, 4} }
func (BatchNormGradGamma) ranks() []int { return []int{4, 4, 1} }
func (BatchMean) ranks() []int          { return []int{4, 1} }
func (BatchVariance) ranks() []int      { return []int{4, 1} }
func (Normalize) ranks() []int          { return []int{4, 1, 1, 1, 1, 4} }

func (o BatchNorm) shape(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), channels(in[0], in[1:]...)
}

func (o BatchNormGradInput) shape(in []tensor.Shape) (tensor.Shape, error) {
	if err := channels(in[0], in[1]); err != nil {
		return nil, err
	}
	return same(in, 2)
}

func (o BatchNormGradGamma) shape(in []tensor.Shape) (tensor.Shape, error) {
	if _, err := same(in, 1); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][1]}, nil
}

func (o BatchMean) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][1]}, nil
}

func (o BatchVariance) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][1]}, nil
}

func (o Normalize) shape(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), channels(in[0], in[1:]...)
}

// moments are channel c's mean and biased variance, in two passes.
func moments(x array, c int) (mean, variance float64) {
	m := float64(x.s[0] * x.s[2] * x.s[3])
	for n := range x.s[0] {
		for _, v := range x.plane(n, c) {
			mean += float64(v)
		}
	}
	mean /= m
	for n := range x.s[0] {
		for _, v := range x.plane(n, c) {
			variance += (float64(v) - mean) * (float64(v) - mean)
		}
	}
	return mean, variance / m
}

// rescale writes gamma·(x − mean)/√(variance + ε) + beta for channel c.
func rescale(y, x array, c int, mean, variance, gamma, beta float64) {
	scale := gamma / math.Sqrt(variance+arch.BatchNormEpsilon)
	for n := range x.s[0] {
		dst := y.plane(n, c)
		for i, v := range x.plane(n, c) {
			dst[i] = float32((float64(v)-mean)*scale + beta)
		}
	}
}

func (o BatchNorm) run(in []array, y array) {
	for c := range y.s[1] {
		mean, variance := moments(in[0], c)
		rescale(y, in[0], c, mean, variance, float64(in[1].v[c]), float64(in[2].v[c]))
	}
}

func (o Normalize) run(in []array, y array) {
	for c := range y.s[1] {
		at := func(i int) float64 { return float64(in[i].v[c]) }
		rescale(y, in[0], c, at(3), at(4), at(1), at(2))
	}
}

// products are, for channel c, the sums of dy and of dy·x̂ with x̂ the
// normalised x.
func products(x, dy array, c int, mean, inverse float64) (sum, dot float64) {
	for n := range x.s[0] {
		grad := dy.plane(n, c)
		for i, v := range x.plane(n, c) {
			sum += float64(grad[i])
			dot += float64(grad[i]) * (float64(v) - mean) * inverse
		}
	}
	return sum, dot
}

// run: dx = gamma/σ · (dy − mean(dy) − x̂·mean(dy·x̂)), Ioffe and Szegedy 2015.
func (o BatchNormGradInput) run(in []array, dx array) {
	x, dy := in[0], in[2]
	m := float64(x.s[0] * x.s[2] * x.s[3])
	for c := range x.s[1] {
		mean, variance := moments(x, c)
		inverse := 1 / math.Sqrt(variance+arch.BatchNormEpsilon)
		sum, dot := products(x, dy, c, mean, inverse)
		scale := float64(in[1].v[c]) * inverse
		for n := range x.s[0] {
			grad, dst := dy.plane(n, c), dx.plane(n, c)
			for i, v := range x.plane(n, c) {
				hat := (float64(v) - mean) * inverse
				dst[i] = float32(scale * (float64(grad[i]) - sum/m - hat*dot/m))
			}
		}
	}
}

func (o BatchNormGradGamma) run(in []array, y array) {
	for c := range y.v {
		mean, variance := moments(in[0], c)
		_, dot := products(in[0], in[1], c, mean, 1/math.Sqrt(variance+arch.BatchNormEpsilon))
		y.v[c] = float32(dot)
	}
}

func (o BatchMean) run(in []array, y array) {
	for c := range y.v {
		mean, _ := moments(in[0], c)
		y.v[c] = float32(mean)
	}
}

func (o BatchVariance) run(in []array, y array) {
	for c := range y.v {
		_, variance := moments(in[0], c)
		y.v[c] = float32(variance)
	}
}

// DiffWRT tells which inputs have a gradient.
func (o BatchNorm) DiffWRT(int) []bool { return []bool{true, true, true} }

// SymDiff makes the gradients of x, gamma and beta.
func (o BatchNorm) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var g gradients
	dgamma := g.apply(BatchNormGradGamma{}, in[0], dy)
	dbeta := g.apply(ChannelSum{NormBeta}, dy)
	dx := g.apply(BatchNormGradInput{}, in[0], in[1], dy)
	return gorgonia.Nodes{dx, dgamma, dbeta}, g.err
}

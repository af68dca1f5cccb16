package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
	"moncae/internal/metric"
)

func (BCEWithLogits) ranks() []int           { return []int{4, 4, 0} }
func (BCEWithLogitsGrad) ranks() []int       { return []int{4, 4, 0, 4} }
func (MSE) ranks() []int                     { return []int{4, 4, 0} }
func (MSEGrad) ranks() []int                 { return []int{4, 4, 0, 4} }
func (Blend) ranks() []int                   { return []int{4, 4, 0} }
func (BlendGrad) ranks() []int               { return []int{4, 4, 0, 4} }
func (SoftmaxCrossEntropy) ranks() []int     { return []int{4, 1, 0} }
func (SoftmaxCrossEntropyGrad) ranks() []int { return []int{4, 1, 0, 4} }

func (o BCEWithLogits) shape(in []tensor.Shape) (tensor.Shape, error) { return pixelLoss(in) }
func (o MSE) shape(in []tensor.Shape) (tensor.Shape, error)           { return pixelLoss(in) }

func (o Blend) shape(in []tensor.Shape) (tensor.Shape, error) { return pixelLoss(in) }

func pixelLoss(in []tensor.Shape) (tensor.Shape, error) {
	_, err := same(in, 1)
	return tensor.ScalarShape(), err
}

func (o BCEWithLogitsGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return same(in, 1) }
func (o MSEGrad) shape(in []tensor.Shape) (tensor.Shape, error)           { return same(in, 1) }

func (o BlendGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return same(in, 1) }

func (o SoftmaxCrossEntropy) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.ScalarShape(), checkLabels(in[0], in[1])
}

func (o SoftmaxCrossEntropyGrad) shape(in []tensor.Shape) (tensor.Shape, error) {
	return in[0].Clone(), checkLabels(in[0], in[1])
}

func checkLabels(z, labels tensor.Shape) error {
	if z[2] != 1 || z[3] != 1 || z[0] != labels[0] {
		return fmt.Errorf("logits %v with labels %v: logits are [N,K,1,1], labels [N]", z, labels)
	}
	return nil
}

func (o BCEWithLogits) run(in []array, y array) {
	sum := 0.0
	for i, v := range in[0].v {
		sum += BCEAt(v, in[1].v[i])
	}
	y.v[0] = float32(sum / float64(len(in[0].v)))
}

// BCEAt is the cross-entropy of one logit against a target, in nats:
// max(z,0) − z·t + log(1+e^−|z|).
func BCEAt(logit, target float32) float64 {
	z := float64(logit)
	return max(z, 0) - z*float64(target) + math.Log1p(math.Exp(-math.Abs(z)))
}

// SquaredErrorAt is (sigmoid(z) − t)² for one logit.
func SquaredErrorAt(logit, target float32) float64 {
	d := sigmoid(float64(logit)) - float64(target)
	return d * d
}

func (o BCEWithLogitsGrad) run(in []array, dz array) {
	scale := float64(in[2].v[0]) / float64(len(dz.v))
	for i, z := range in[0].v {
		dz.v[i] = float32(scale * (sigmoid(float64(z)) - float64(in[1].v[i])))
	}
}

func (o MSE) run(in []array, y array) {
	sum := 0.0
	for i, z := range in[0].v {
		sum += SquaredErrorAt(z, in[1].v[i])
	}
	y.v[0] = float32(sum / float64(len(in[0].v)))
}

func (o MSEGrad) run(in []array, dz array) {
	scale := 2 * float64(in[2].v[0]) / float64(len(dz.v))
	for i, z := range in[0].v {
		s := sigmoid(float64(z))
		dz.v[i] = float32(scale * (s - float64(in[1].v[i])) * s * (1 - s))
	}
}

func (o Blend) run(in []array, y array) {
	sum, part := 0.0, array{v: make([]float32, 1)}
	for _, p := range []struct {
		weight float64
		op     kernel
	}{{o.BCE, BCEWithLogits{}}, {o.MSE, MSE{}}} {
		if p.weight > 0 {
			p.op.run(in, part)
			sum += p.weight * float64(part.v[0])
		}
	}
	if o.SSIM > 0 {
		eachImage(in, func(_ int, x, y []float32, s arch.Shape) {
			sum += o.SSIM * (1 - metric.GaussianSSIM(x, y, s, nil)) / float64(in[0].s[0])
		})
	}
	y.v[0] = float32(sum)
}

// eachImage gives every image of a target, and what sigmoid makes of its logits.
func eachImage(in []array, f func(first int, x, y []float32, s arch.Shape)) {
	z, target := in[0], in[1]
	s := arch.Shape{C: z.s[1], H: z.s[2], W: z.s[3]}
	y := make([]float32, s.Values())
	for first := 0; first < len(z.v); first += s.Values() {
		for i := range y {
			y[i] = float32(sigmoid(float64(z.v[first+i])))
		}
		f(first, target.v[first:first+s.Values()], y, s)
	}
}

func (o BlendGrad) run(in []array, dz array) {
	part := array{dz.s, make([]float32, len(dz.v))}
	for _, p := range []struct {
		weight float64
		op     kernel
	}{{o.BCE, BCEWithLogitsGrad{}}, {o.MSE, MSEGrad{}}} {
		if p.weight == 0 {
			continue
		}
		p.op.run(in, part)
		for i, v := range part.v {
			dz.v[i] += float32(p.weight * float64(v))
		}
	}
	if o.SSIM == 0 {
		return
	}
	scale := o.SSIM * float64(in[2].v[0]) / float64(in[0].s[0])
	slope := make([]float64, len(dz.v)/in[0].s[0])
	eachImage(in, func(first int, x, y []float32, s arch.Shape) {
		metric.GaussianSSIM(x, y, s, slope)
		for i, d := range slope {
			p := float64(y[i])
			dz.v[first+i] -= float32(scale * d * p * (1 - p))
		}
	})
}

// CrossEntropyAt is −log softmax(z)[label] in nats, by log-sum-exp about the
// largest logit. It panics where label is not a class of z.
func CrossEntropyAt(z []float32, label int) float64 {
	top, sum := logits(z)
	return math.Log(sum) + top - float64(z[label])
}

// logits are the largest logit and the sum of e^(z−largest).
func logits(z []float32) (top, sum float64) {
	top = math.Inf(-1)
	for _, v := range z {
		top = max(top, float64(v))
	}
	for _, v := range z {
		sum += math.Exp(float64(v) - top)
	}
	return top, sum
}

func (o SoftmaxCrossEntropy) run(in []array, y array) {
	classes, sum := in[0].s[1], 0.0
	for n, label := range in[1].v {
		sum += CrossEntropyAt(in[0].v[n*classes:(n+1)*classes], int(label))
	}
	y.v[0] = float32(sum / float64(len(in[1].v)))
}

func (o SoftmaxCrossEntropyGrad) run(in []array, dz array) {
	classes := in[0].s[1]
	scale := float64(in[2].v[0]) / float64(len(in[1].v))
	for n, label := range in[1].v {
		row := in[0].v[n*classes : (n+1)*classes]
		top, sum := logits(row)
		for k, z := range row {
			p := math.Exp(float64(z)-top) / sum
			if k == int(label) {
				p--
			}
			dz.v[n*classes+k] = float32(scale * p)
		}
	}
}

// DiffWRT tells which inputs have a gradient: the target has none.
func (o BCEWithLogits) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff makes the gradient of the logits.
func (o BCEWithLogits) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := Apply(BCEWithLogitsGrad{}, in[0], in[1], dloss)
	return gorgonia.Nodes{dz, nil}, err
}

// DiffWRT tells which inputs have a gradient: the target has none.
func (o MSE) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff makes the gradient of the logits.
func (o MSE) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := Apply(MSEGrad{}, in[0], in[1], dloss)
	return gorgonia.Nodes{dz, nil}, err
}

// DiffWRT tells which inputs have a gradient: the target has none.
func (o Blend) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff makes the gradient of the logits.
func (o Blend) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := Apply(BlendGrad(o), in[0], in[1], dloss)
	return gorgonia.Nodes{dz, nil}, err
}

// DiffWRT tells which inputs have a gradient: the labels have none.
func (o SoftmaxCrossEntropy) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff makes the gradient of the logits.
func (o SoftmaxCrossEntropy) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := Apply(SoftmaxCrossEntropyGrad{}, in[0], in[1], dloss)
	return gorgonia.Nodes{dz, nil}, err
}

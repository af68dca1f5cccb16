package ops

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

func (BCEWithLogits) ranks() []int           { return []int{4, 4, 0} }
func (BCEWithLogitsGrad) ranks() []int       { return []int{4, 4, 0, 4} }
func (MSE) ranks() []int                     { return []int{4, 4, 0} }
func (MSEGrad) ranks() []int                 { return []int{4, 4, 0, 4} }
func (SoftmaxCrossEntropy) ranks() []int     { return []int{4, 1, 0} }
func (SoftmaxCrossEntropyGrad) ranks() []int { return []int{4, 1, 0, 4} }

func (o BCEWithLogits) shape(in []tensor.Shape) (tensor.Shape, error) { return pixelLoss(in) }
func (o MSE) shape(in []tensor.Shape) (tensor.Shape, error)           { return pixelLoss(in) }

func pixelLoss(in []tensor.Shape) (tensor.Shape, error) {
	_, err := same(in, 1)
	return tensor.ScalarShape(), err
}

func (o BCEWithLogitsGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return same(in, 1) }
func (o MSEGrad) shape(in []tensor.Shape) (tensor.Shape, error)           { return same(in, 1) }

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

// DiffWRT tells which inputs have a gradient: the labels have none.
func (o SoftmaxCrossEntropy) DiffWRT(int) []bool { return []bool{true, false} }

// SymDiff makes the gradient of the logits.
func (o SoftmaxCrossEntropy) SymDiff(in gorgonia.Nodes, _, dloss *gorgonia.Node) (gorgonia.Nodes, error) {
	dz, err := Apply(SoftmaxCrossEntropyGrad{}, in[0], in[1], dloss)
	return gorgonia.Nodes{dz, nil}, err
}

package engine

import (
	"math"
	"slices"

	"moncae/internal/graph"
	"moncae/internal/metric"
	"moncae/internal/ops"
)

// Meter sums up the Metrics of a net on the host, from float32 logits in float64.
type Meter struct {
	net  *graph.Net
	sums Sums
	rows int
}

// Sums are a net's measures summed up: an autoencoder's BCE and squared error over
// values, and where its loss has it, metric.GaussianSSIM over images; a classifier's
// cross-entropy and right answers.
type Sums [3]float64

// NewMeter makes a meter for a net.
func NewMeter(net *graph.Net) *Meter { return &Meter{net: net} }

// Image takes in an autoencoder's logits for an image, and the image.
func (m *Meter) Image(logits, image []float32) {
	for i, z := range logits {
		m.sums[0] += ops.BCEAt(z, image[i])
		m.sums[1] += ops.SquaredErrorAt(z, image[i])
	}
	if m.net.Blend.SSIM > 0 {
		y := slices.Clone(logits)
		Sigmoid(y)
		m.sums[2] += metric.GaussianSSIM(image, y, m.net.Output, nil)
	}
	m.rows++
}

// Class takes in a classifier's logits for one row. Of equal largest logits the
// first counts.
func (m *Meter) Class(logits []float32, label int) {
	best := 0
	for k, z := range logits {
		if z > logits[best] {
			best = k
		}
	}
	m.sums[0] += ops.CrossEntropyAt(logits, label)
	if best == label {
		m.sums[1]++
	}
	m.rows++
}

// Metrics are the means so far, zero where nothing was taken in.
func (m *Meter) Metrics() Metrics { return Means(m.net, m.sums, max(m.rows, 1)) }

// Sigmoid turns logits into values in [0, 1], in place.
func Sigmoid(logits []float32) {
	for i, z := range logits {
		logits[i] = float32(1 / (1 + math.Exp(-float64(z))))
	}
}

// Means are the metrics of so many rows of a net with the sums of its measures.
func Means(net *graph.Net, sums Sums, rows int) Metrics {
	n := float64(rows)
	if net.Loss == graph.CrossEntropy {
		return Metrics{Loss: sums[0] / n, Accuracy: sums[1] / n}
	}
	values := n * float64(net.Output.Values())
	m := Metrics{BCE: sums[0] / values, MSE: sums[1] / values}
	m.Loss = net.Blend.Of(m.BCE, m.MSE, sums[2]/n)
	return m
}

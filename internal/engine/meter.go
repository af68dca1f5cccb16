package engine

import (
	"math"

	"moncae/internal/graph"
	"moncae/internal/ops"
)

// Meter sums up Metrics on the host, from float32 logits in float64.
type Meter struct {
	loss                  graph.Loss
	bce, mse, xent        float64
	values, rows, correct int
}

// NewMeter makes a meter for networks that minimise loss.
func NewMeter(loss graph.Loss) *Meter { return &Meter{loss: loss} }

// Images takes in an autoencoder's logits and the images that they stand for.
func (m *Meter) Images(logits, images []float32) {
	for i, z := range logits {
		m.bce += ops.BCEAt(z, images[i])
		m.mse += ops.SquaredErrorAt(z, images[i])
	}
	m.values += len(logits)
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
	if best == label {
		m.correct++
	}
	m.xent += ops.CrossEntropyAt(logits, label)
	m.rows++
}

// Metrics are the means so far, zero where nothing was taken in.
func (m *Meter) Metrics() Metrics {
	values, rows := float64(max(m.values, 1)), float64(max(m.rows, 1))
	r := Metrics{BCE: m.bce / values, MSE: m.mse / values}
	switch m.loss {
	case graph.BCE:
		r.Loss = r.BCE
	case graph.MSE:
		r.Loss = r.MSE
	case graph.CrossEntropy:
		r = Metrics{Loss: m.xent / rows, Accuracy: float64(m.correct) / rows}
	}
	return r
}

// Sigmoid turns logits into values in [0, 1], in place.
func Sigmoid(logits []float32) {
	for i, z := range logits {
		logits[i] = float32(1 / (1 + math.Exp(-float64(z))))
	}
}

// Means are the metrics of rows rows of a net whose two measures have the given
// sums: BCE and squared error over an autoencoder's values, or cross-entropy and
// right answers over a classifier's rows.
func Means(net *graph.Net, first, second float64, rows int) Metrics {
	n := float64(rows)
	if net.Loss == graph.CrossEntropy {
		return Metrics{Loss: first / n, Accuracy: second / n}
	}
	n *= float64(net.Output.Values())
	m := Metrics{Loss: first / n, BCE: first / n, MSE: second / n}
	if net.Loss == graph.MSE {
		m.Loss = m.MSE
	}
	return m
}

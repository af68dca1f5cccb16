// Package baseline computes what every member of a front is held against: the
// mean image, and PCA with as many values as the member's latent has. (The third
// line, the entropy floor of the pixels, is dataset.Stats.Floor.)
//
// All of it is float64 arithmetic on training images (without validation images)
// and deterministic. Images are values in [0, 1]; BCE is in nats; BCE and MSE are
// means over all values of all rows asked for.
//
// Costs: with n training images of D values and m = min(n, D), a PCA is fitted
// once in n·D·m multiply-adds; the training images are thinned out evenly so that
// this stays under Work, seconds on one core.
package baseline

import (
	"math"

	"moncae/internal/dataset"
	"moncae/internal/metric"
)

// Loss is how far reconstructions are from their images.
type Loss struct {
	BCE float64 `json:"bce"`
	MSE float64 `json:"mse"`
	// Similarity is metric.GaussianSSIM; 0 where it was not asked for.
	Similarity float64 `json:"similarity,omitempty"`
}

// Clip is how near to 0 and 1 the mean image may come: a pixel that is never lit
// in training and once in validation would cost infinitely much else.
const Clip = 1e-4

// MeanImage is the loss of answering every one of the rows with the same image,
// clipped to [Clip, 1 − Clip].
func MeanImage(set *dataset.Set, image []float32, rows []int32) Loss {
	value := scale()
	var costs [256]float64 // per value: x·ln m and (1−x)·ln(1−m) are linear in x
	var loss Loss
	n := float64(len(rows) * set.Shape.Values())
	for i, m32 := range image {
		m := min(max(float64(m32), Clip), 1-Clip)
		on, off := -math.Log(m), -math.Log1p(-m)
		for v := range costs {
			costs[v] = value[v]*on + (1-value[v])*off
		}
		for _, r := range rows {
			v := set.Image(int(r))[i]
			loss.BCE += costs[v] / n
			loss.MSE += (value[v] - m) * (value[v] - m) / n
		}
	}
	return loss
}

// MeanSimilarity is how alike the same image and each of the rows are: the mean of
// metric.GaussianSSIM.
func MeanSimilarity(set *dataset.Set, image []float32, rows []int32) float64 {
	value, row, sum := scale(), make([]float32, len(image)), 0.0
	for _, r := range rows {
		for i, v := range set.Image(int(r)) {
			row[i] = float32(value[v])
		}
		sum += metric.GaussianSSIM(row, image, set.Shape, nil) / float64(len(rows))
	}
	return sum
}

// scale is the value in [0, 1] of every byte, as the networks see it.
func scale() (value [256]float64) {
	for v := range value {
		value[v] = float64(float32(v) / float32(255))
	}
	return value
}

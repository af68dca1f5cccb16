package head

import "math"

// Standard is an affine map of every value, z = (x − Mean)·Scale, that brings
// training features to mean 0 and deviation 1.
type Standard struct {
	Mean, Scale []float32 // one a value, CHW order
}

// steadyShare of the largest deviation is the least that a value is divided by:
// what hardly varies in training must not explode in a test.
const steadyShare = 1e-3

// StandardOf measures features, rows of values each. Where perChannel is over 0
// it is the number of values of a channel, and a channel has one mean and one
// deviation.
func StandardOf(features []float32, values, perChannel int) Standard {
	mean, square := make([]float64, values), make([]float64, values)
	rows := len(features) / values
	for r := range rows {
		for i, v := range features[r*values : (r+1)*values] {
			mean[i] += float64(v)
		}
	}
	pool(mean, rows, perChannel)
	for r := range rows {
		for i, v := range features[r*values : (r+1)*values] {
			d := float64(v) - mean[i]
			square[i] += d * d
		}
	}
	pool(square, rows, perChannel)
	widest := 0.0
	for _, v := range square {
		widest = max(widest, math.Sqrt(v))
	}
	s := Standard{make([]float32, values), make([]float32, values)}
	for i := range mean {
		s.Mean[i], s.Scale[i] = float32(mean[i]), 1
		if widest > 0 {
			s.Scale[i] = float32(1 / max(math.Sqrt(square[i]), steadyShare*widest))
		}
	}
	return s
}

// pool turns sums over rows into means, and means of values into their channel's.
func pool(sums []float64, rows, perChannel int) {
	for i := range sums {
		sums[i] /= float64(rows)
	}
	if perChannel == 0 {
		return
	}
	for at := 0; at < len(sums); at += perChannel {
		mean := 0.0
		for _, v := range sums[at : at+perChannel] {
			mean += v / float64(perChannel)
		}
		for i := range perChannel {
			sums[at+i] = mean
		}
	}
}

// apply gives the standardised features, in memory of their own.
func (s Standard) apply(features []float32) []float32 {
	out := make([]float32, len(features))
	values := len(s.Mean)
	for i, v := range features {
		out[i] = (v - s.Mean[i%values]) * s.Scale[i%values]
	}
	return out
}

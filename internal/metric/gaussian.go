package metric

import (
	"math"

	"moncae/internal/arch"
)

// GaussianWindow is the side of GaussianSSIM's window, the centre of a Gaussian of
// GaussianSigma pixels; images with a smaller side have the largest odd side that fits.
const (
	GaussianWindow = 11
	GaussianSigma  = 1.5
)

// GaussianSSIM is the structural similarity as Wang et al. 2004 define it and as losses
// use it: Gaussian weights, and variances without Bessel's correction, the mean over
// channels and over all windows that lie within the image. This is what scikit-image's
// structural_similarity(a, b, data_range=1, channel_axis=0, gaussian_weights=True,
// sigma=1.5, use_sample_covariance=False) computes. Where slope is not nil, the
// gradient by b is written to it.
func GaussianSSIM(a, b []float32, s arch.Shape, slope []float64) float64 {
	if len(a) != s.Values() || len(b) != s.Values() {
		panic("metric: SSIM of images of another shape")
	}
	plane, total := s.H*s.W, 0.0
	g := newGaussian(s.H, s.W)
	for c := range s.C {
		var to []float64
		if slope != nil {
			to = slope[c*plane : (c+1)*plane]
		}
		total += g.plane(a[c*plane:(c+1)*plane], b[c*plane:(c+1)*plane], to)
	}
	for i := range slope {
		slope[i] /= float64(s.C)
	}
	return total / float64(s.C)
}

// gaussian has the windows of planes of one size.
type gaussian struct {
	h, w, rows, columns int // of a plane, and of its windows
	taps                []float64
}

func newGaussian(h, w int) gaussian {
	taps := GaussianTaps(min(GaussianWindow, (h-1)|1, (w-1)|1))
	return gaussian{h, w, h - len(taps) + 1, w - len(taps) + 1, taps}
}

// GaussianTaps are the weights of a window's rows, and of its columns; their sum is 1.
func GaussianTaps(side int) []float64 {
	taps, sum := make([]float64, side), 0.0
	for i := range taps {
		d := float64(i-side/2) / GaussianSigma
		taps[i] = math.Exp(-d * d / 2)
		sum += taps[i]
	}
	for i := range taps {
		taps[i] /= sum
	}
	return taps
}

// blur gives the weighted mean of f's values in every window.
func (g gaussian) blur(f func(i int) float64) []float64 {
	along := make([]float64, g.h*g.columns)
	for y := range g.h {
		for x := range g.columns {
			for k, t := range g.taps {
				along[y*g.columns+x] += t * f(y*g.w+x+k)
			}
		}
	}
	out := make([]float64, g.rows*g.columns)
	for y := range g.rows {
		for k, t := range g.taps {
			for x := range g.columns {
				out[y*g.columns+x] += t * along[(y+k)*g.columns+x]
			}
		}
	}
	return out
}

// spread is blur's transpose: every window's value goes to its pixels by their weights.
func (g gaussian) spread(v []float64) []float64 {
	along := make([]float64, g.h*g.columns)
	for y := range g.rows {
		for k, t := range g.taps {
			for x := range g.columns {
				along[(y+k)*g.columns+x] += t * v[y*g.columns+x]
			}
		}
	}
	out := make([]float64, g.h*g.w)
	for y := range g.h {
		for x := range g.columns {
			for k, t := range g.taps {
				out[y*g.w+x+k] += t * along[y*g.columns+x]
			}
		}
	}
	return out
}

// plane is the mean similarity of one channel, and its slope where that is wanted.
func (g gaussian) plane(a, b []float32, slope []float64) float64 {
	x := func(i int) float64 { return float64(a[i]) }
	y := func(i int) float64 { return float64(b[i]) }
	mx, my := g.blur(x), g.blur(y)
	xx := g.blur(func(i int) float64 { return x(i) * x(i) })
	yy := g.blur(func(i int) float64 { return y(i) * y(i) })
	xy := g.blur(func(i int) float64 { return x(i) * y(i) })
	windows := float64(len(mx))
	total := 0.0
	// The slope of a window's similarity by y is its weight times
	// even + 2·square·y + product·x.
	even, square, product := make([]float64, len(mx)), make([]float64, len(mx)), make([]float64, len(mx))
	for i := range mx {
		cov := xy[i] - mx[i]*my[i]
		a1, a2 := 2*mx[i]*my[i]+ssimC1, 2*cov+ssimC2
		b1, b2 := mx[i]*mx[i]+my[i]*my[i]+ssimC1, xx[i]-mx[i]*mx[i]+yy[i]-my[i]*my[i]+ssimC2
		s := a1 * a2 / (b1 * b2)
		total += s
		square[i], product[i] = -s/b2, 2*a1/(b1*b2)
		even[i] = 2*mx[i]*a2/(b1*b2) - 2*my[i]*s/b1 - 2*my[i]*square[i] - mx[i]*product[i]
	}
	if slope != nil {
		e, q, p := g.spread(even), g.spread(square), g.spread(product)
		for i := range slope {
			slope[i] = (e[i] + 2*q[i]*y(i) + p[i]*x(i)) / windows
		}
	}
	return total / windows
}

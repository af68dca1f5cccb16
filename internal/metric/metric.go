// Package metric measures how near a reconstruction is to its image: MSE, PSNR,
// cross-entropy and SSIM, for values in [0, 1].
//
// SSIM costs O(values) whatever the window, and takes no memory that grows with
// the number of images.
package metric

import (
	"math"
	"slices"

	"moncae/internal/arch"
)

// MaxPSNR is the most that PSNR gives, in decibels: below an error of 10⁻¹² it no
// longer grows, so that no error at all has a figure that JSON and means can hold.
const MaxPSNR = 120

// PSNR is the peak signal-to-noise ratio in decibels, −10·log10(mse) for values
// in [0, 1], at most MaxPSNR.
func PSNR(mse float64) float64 { return min(-10*math.Log10(mse), MaxPSNR) }

// MSE is the mean of (x − y)² over all values of x.
func MSE(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum / float64(len(x))
}

// leastProbability keeps the logarithm of a saturated float32 sigmoid finite.
const leastProbability = 1e-7

// CrossEntropy sums −t·ln p − (1−t)·ln(1−p) over reconstructions p of pixels,
// t = byte/255, in nats.
func CrossEntropy(p []float32, pixels []uint8) float64 {
	sum := 0.0
	for i, v := range pixels {
		t, q := float64(v)/255, min(max(float64(p[i]), leastProbability), 1-leastProbability)
		sum -= t*math.Log(q) + (1-t)*math.Log1p(-q)
	}
	return sum
}

// Window is the side of SSIM's square window; images with a smaller side have
// the largest odd side that fits.
const Window = 7

// The constants of Wang et al. 2004 for values in [0, 1]: (0.01)² and (0.03)².
const (
	ssimC1 = 1e-4
	ssimC2 = 9e-4
)

// SSIM is the structural similarity of image b to image a, both C·H·W in CHW
// order: the mean over channels and over all windows that lie within the image,
// uniform weights, sample variances. This is what scikit-image's
// structural_similarity(a, b, data_range=1, channel_axis=0) computes.
func SSIM(a, b []float32, s arch.Shape) float64 {
	if len(a) != s.Values() || len(b) != s.Values() {
		panic("metric: SSIM of images of another shape")
	}
	plane := s.H * s.W
	total := 0.0
	for c := range s.C {
		total += plain(a[c*plane:(c+1)*plane], b[c*plane:(c+1)*plane], s.H, s.W)
	}
	return total / float64(s.C)
}

// moments are the sums of x, y, x², y² and xy over some values.
type moments [5]float64

func (m *moments) add(x, y, sign float64) {
	m[0] += sign * x
	m[1] += sign * y
	m[2] += sign * x * x
	m[3] += sign * y * y
	m[4] += sign * x * y
}

// plain is SSIM of one channel: columns of window height slide down, and windows
// along them.
func plain(a, b []float32, h, w int) float64 {
	win := min(Window, (h-1)|1, (w-1)|1)
	columns := make([]moments, w)
	total, n := 0.0, 0
	for y := range h {
		for x := range w {
			columns[x].add(float64(a[y*w+x]), float64(b[y*w+x]), 1)
			if y >= win {
				i := (y-win)*w + x
				columns[x].add(float64(a[i]), float64(b[i]), -1)
			}
		}
		if y < win-1 {
			continue
		}
		for x := 0; x+win <= w; x++ {
			var m moments
			for _, c := range columns[x : x+win] {
				for k := range m {
					m[k] += c[k]
				}
			}
			total += similarity(m, float64(win*win))
			n++
		}
	}
	return total / float64(n)
}

func similarity(m moments, n float64) float64 {
	mx, my := m[0]/n, m[1]/n
	sample := n / (n - 1)
	if n == 1 {
		sample = 0 // a single value has no variance
	}
	vx, vy, cov := sample*(m[2]/n-mx*mx), sample*(m[3]/n-my*my), sample*(m[4]/n-mx*my)
	return (2*mx*my + ssimC1) * (2*cov + ssimC2) / ((mx*mx + my*my + ssimC1) * (vx + vy + ssimC2))
}

// LogSumExp is ln Σ exp z, without overflow.
func LogSumExp(z []float32) float64 {
	top := float64(slices.Max(z))
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}

// Package pca finds the leading principal components of images.
//
// Solver is the method; who holds a covariance says how it is multiplied. Fit is for
// codes of many images and many components: it forms no covariance, and multiplies in
// float32. internal/baseline forms one, in float64, for figures to six digits.
//
// Promises: deterministic; nothing depends on the number of processors.
//
// Costs: Fit takes 4·passes·rows·d·k multiply-adds for images of d values, and some
// thousand images as float32 beside them.
package pca

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"
)

const (
	block = 1024 // images multiplied at a time
	most  = 5e7  // values of images that are looked at
)

// Components are directions in the space of images.
type Components struct {
	Mean     []float32 // one a value of an image, values scaled to [0, 1]
	Axes     []float32 // [values of an image][components], orthonormal columns
	Variance []float64 // of the training images along each component, falling
	Rows     int       // images that they were fitted on
}

// Fit finds k components of images of d bytes each, k ≤ d; where k is nearly d it is
// exact. Of very many images those at even distances are looked at.
func Fit(images []uint8, d, k int) Components {
	images = Thin(images, d, max(int(most)/d, 4*k))
	c := Components{Mean: mean(images, d), Rows: len(images) / d}
	axes, variance := Solver{Margin: 16, Passes: 5, Seed: uint64(d)}.Leading(covariance{c, images}, k)
	c.Axes, c.Variance = single(axes).Data, variance
	return c
}

func mean(images []uint8, d int) []float32 {
	sums, out := make([]int64, d), make([]float32, d)
	for at := 0; at < len(images); at += d {
		for i, v := range images[at : at+d] {
			sums[i] += int64(v)
		}
	}
	for i, v := range sums {
		out[i] = float32(float64(v) / 255 / float64(len(images)/d))
	}
	return out
}

// covariance is that of the images, never formed: products are float32, their sums
// over blocks of images float64.
type covariance struct {
	Components
	images []uint8
}

func (c covariance) Dim() int { return len(c.Mean) }

func (c covariance) Times(q *mat.Dense) *mat.Dense {
	d, cols := q.Dims()
	out := mat.NewDense(d, cols, nil)
	sum, axes := out.RawMatrix().Data, single(q)
	add := blas32.General{Rows: d, Cols: cols, Stride: cols, Data: make([]float32, d*cols)}
	c.blocks(c.images, func(_ int, x blas32.General) {
		codes := blas32.General{Rows: x.Rows, Cols: cols, Stride: cols, Data: make([]float32, x.Rows*cols)}
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, axes, 0, codes)
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, x, codes, 0, add)
		for i, v := range add.Data {
			sum[i] += float64(v) / float64(max(c.Rows-1, 1))
		}
	})
	return out
}

// blocks hands out the images, centred, block by block; x is reused.
func (c Components) blocks(images []uint8, use func(row int, x blas32.General)) {
	d := len(c.Mean)
	buffer := make([]float32, block*d)
	for row, rows := 0, len(images)/d; row < rows; row += block {
		n := min(block, rows-row)
		for i, v := range images[row*d : (row+n)*d] {
			buffer[i] = float32(v)/255 - c.Mean[i%d]
		}
		use(row, blas32.General{Rows: n, Cols: d, Stride: d, Data: buffer[:n*d]})
	}
}

// Codes are the images' coordinates along the axes, one row an image.
func (c Components) Codes(images []uint8) []float32 {
	d := len(c.Mean)
	k := len(c.Axes) / d
	out := make([]float32, len(images)/d*k)
	axes := blas32.General{Rows: d, Cols: k, Stride: k, Data: c.Axes}
	c.blocks(images, func(row int, x blas32.General) {
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, axes, 0,
			blas32.General{Rows: x.Rows, Cols: k, Stride: k, Data: out[row*k : (row+x.Rows)*k]})
	})
	return out
}

func single(m *mat.Dense) blas32.General {
	rows, cols := m.Dims()
	out := blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float32, 0, rows*cols)}
	for i := range rows {
		for _, v := range m.RawRowView(i) {
			out.Data = append(out.Data, float32(v))
		}
	}
	return out
}

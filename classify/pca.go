package classify

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

const (
	pcaSpare  = 16   // directions beyond those wanted, which speed convergence
	pcaRounds = 5    // of subspace iteration
	pcaBlock  = 1024 // images multiplied at a time
	pcaValues = 5e7  // of images that are looked at, at most
)

// pca are the leading principal components of images.
type pca struct {
	mean     []float32 // one a value of an image, values scaled to [0,1]
	axes     []float32 // [values of an image][components], orthonormal columns
	variance []float64 // of the training images along each component, falling
	rows     int       // images that it was fitted on
}

// fitPCA finds k components of images of d bytes each, k ≤ d, by subspace
// iteration on the covariance (Halko, Martinsson and Tropp 2011, with the
// Rayleigh-Ritz step at the end); where k is nearly d it is exact. It costs
// 4·rounds·rows·d·k multiply-adds, and pcaBlock·d floats beside the images.
func fitPCA(images []uint8, d, k int) pca {
	images = thin(images, d, max(int(pcaValues)/d, 4*k))
	p := pca{mean: meanImage(images, d), rows: len(images) / d}
	wide := min(k+pcaSpare, d)
	q := blas64.General{Rows: d, Cols: wide, Stride: wide, Data: make([]float64, d*wide)}
	rounds := pcaRounds
	if wide == d {
		rounds = 0
		for i := range d {
			q.Data[i*wide+i] = 1
		}
	} else {
		rng := rand.New(rand.NewPCG(1, uint64(d)))
		for i := range q.Data {
			q.Data[i] = rng.NormFloat64()
		}
		orthonormalise(q)
	}
	for range rounds {
		q = p.covarianceTimes(images, q)
		orthonormalise(q)
	}
	p.rotate(q, p.covarianceTimes(images, q), k)
	return p
}

// thin picks at most so many images at even distances: a data set may be in the
// order of its classes.
func thin(images []uint8, d, most int) []uint8 {
	rows := len(images) / d
	if rows <= most {
		return images
	}
	out := make([]uint8, 0, most*d)
	for i := range most {
		at := i * rows / most * d
		out = append(out, images[at:at+d]...)
	}
	return out
}

func meanImage(images []uint8, d int) []float32 {
	sums, mean := make([]int64, d), make([]float32, d)
	for at := 0; at < len(images); at += d {
		for i, v := range images[at : at+d] {
			sums[i] += int64(v)
		}
	}
	for i, v := range sums {
		mean[i] = float32(float64(v) / 255 / float64(len(images)/d))
	}
	return mean
}

// orthonormalise replaces q's columns by an orthonormal basis of their span.
func orthonormalise(q blas64.General) {
	tau := make([]float64, q.Cols)
	work := make([]float64, 1)
	lapack64.Geqrf(q, tau, work, -1)
	work = make([]float64, max(int(work[0]), 64*q.Cols))
	lapack64.Geqrf(q, tau, work, len(work))
	lapack64.Orgqr(q, tau, work, len(work))
}

// covarianceTimes is C·q for the images' covariance C.
func (p pca) covarianceTimes(images []uint8, q blas64.General) blas64.General {
	d := len(p.mean)
	out := blas64.General{Rows: d, Cols: q.Cols, Stride: q.Cols, Data: make([]float64, d*q.Cols)}
	axes := single(q)
	add := blas32.General{Rows: d, Cols: q.Cols, Stride: q.Cols, Data: make([]float32, d*q.Cols)}
	p.blocks(images, func(_ int, x blas32.General) {
		codes := blas32.General{Rows: x.Rows, Cols: q.Cols, Stride: q.Cols, Data: make([]float32, x.Rows*q.Cols)}
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, axes, 0, codes)
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, x, codes, 0, add)
		for i, v := range add.Data {
			out.Data[i] += float64(v) / float64(max(p.rows-1, 1))
		}
	})
	return out
}

// blocks hands out the images, centred, block by block; x is reused.
func (p pca) blocks(images []uint8, use func(row int, x blas32.General)) {
	d := len(p.mean)
	buffer := make([]float32, pcaBlock*d)
	for row, rows := 0, len(images)/d; row < rows; row += pcaBlock {
		n := min(pcaBlock, rows-row)
		for i, v := range images[row*d : (row+n)*d] {
			buffer[i] = float32(v)/255 - p.mean[i%d]
		}
		use(row, blas32.General{Rows: n, Cols: d, Stride: d, Data: buffer[:n*d]})
	}
}

// rotate turns the basis q to the principal axes within its span, given C·q, and
// keeps k of them.
func (p *pca) rotate(q, cq blas64.General, k int) {
	wide := q.Cols
	small := blas64.General{Rows: wide, Cols: wide, Stride: wide, Data: make([]float64, wide*wide)}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, q, cq, 0, small)
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(wide, small.Data), true) {
		panic("classify: the eigenvalues of a symmetric matrix were not found")
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil) // rising
	turn := blas64.General{Rows: wide, Cols: k, Stride: k, Data: make([]float64, wide*k)}
	for j := range k {
		from := wide - 1 - j
		p.variance = append(p.variance, max(values[from], 0))
		for i := range wide {
			turn.Data[i*k+j] = vectors.At(i, from)
		}
	}
	axes := blas64.General{Rows: q.Rows, Cols: k, Stride: k, Data: make([]float64, q.Rows*k)}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, q, turn, 0, axes)
	p.axes = single(axes).Data
}

// codes are the images' coordinates along the axes, one row an image.
func (p pca) codes(images []uint8) []float32 {
	d := len(p.mean)
	k := len(p.axes) / d
	out := make([]float32, len(images)/d*k)
	axes := blas32.General{Rows: d, Cols: k, Stride: k, Data: p.axes}
	p.blocks(images, func(row int, x blas32.General) {
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, x, axes, 0,
			blas32.General{Rows: x.Rows, Cols: k, Stride: k, Data: out[row*k : (row+x.Rows)*k]})
	})
	return out
}

func single(m blas64.General) blas32.General {
	out := blas32.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Cols, Data: make([]float32, m.Rows*m.Cols)}
	for i, v := range m.Data {
		out.Data[i] = float32(v)
	}
	return out
}

package pca

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"

	"moncae/internal/gemm"
)

// panel is how many columns are reduced before the others hear of it.
const panel = 32

// Orthonormal is an orthonormal basis of the columns' span, in order, by Householder's
// QR; it takes a's memory. What lies outside of panels is matrix products.
func Orthonormal(a *mat.Dense) *mat.Dense {
	var (
		q       = a.RawMatrix()
		tau     = make([]float64, q.Cols)
		work    = make([]float64, panel)
		lib     gonum.Implementation
		blocks  []reflectors
		atRow   = func(from, col, cols int) blas64.General { return part(q, from, q.Rows, col, col+cols) }
		columns = func(at int) int { return min(panel, q.Cols-at) }
	)
	for at := 0; at < q.Cols; at += panel {
		n := columns(at)
		p := atRow(at, at, n)
		lib.Dgeqr2(p.Rows, n, p.Data, p.Stride, tau[at:at+n], work)
		h := reflectorsOf(p, tau[at:at+n])
		blocks = append(blocks, h)
		h.apply(blas.Trans, atRow(at, at+n, q.Cols-at-n))
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		at := i * panel
		n := columns(at)
		blocks[i].apply(blas.NoTrans, atRow(at, at+n, q.Cols-at-n))
		p := atRow(at, at, n)
		lib.Dorg2r(p.Rows, n, n, p.Data, p.Stride, tau[at:at+n], work)
		for row := range at {
			clear(q.Data[row*q.Stride+at:][:n])
		}
	}
	return a
}

// reflectors are a panel's, as 1 − V·T·Vᵀ.
type reflectors struct{ v, t blas64.General }

func reflectorsOf(p blas64.General, tau []float64) reflectors {
	h := reflectors{zeros(p.Rows, p.Cols), zeros(p.Cols, p.Cols)}
	for i := range p.Rows {
		copy(h.v.Data[i*p.Cols:][:min(i, p.Cols)], p.Data[i*p.Stride:])
		if i < p.Cols {
			h.v.Data[i*p.Cols+i] = 1
		}
	}
	var lib gonum.Implementation
	lib.Dlarft(lapack.Forward, lapack.ColumnWise, p.Rows, p.Cols, h.v.Data, h.v.Stride, tau, h.t.Data, h.t.Stride)
	return h
}

// apply multiplies c by the reflectors, or by their transpose, from the left.
func (h reflectors) apply(t blas.Transpose, c blas64.General) {
	if c.Cols == 0 {
		return
	}
	inner, turned := zeros(h.t.Rows, c.Cols), zeros(h.t.Rows, c.Cols)
	gemm.Mul(blas.Trans, blas.NoTrans, 1, h.v, c, 0, inner)
	gemm.Mul(t, blas.NoTrans, 1, h.t, inner, 0, turned)
	gemm.Mul(blas.NoTrans, blas.NoTrans, -1, h.v, turned, 1, c)
}

func zeros(rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, rows*cols)}
}

// part is a part of a matrix, of which it is a view.
func part(m blas64.General, row, rowEnd, col, colEnd int) blas64.General {
	p := blas64.General{Rows: rowEnd - row, Cols: colEnd - col, Stride: m.Stride}
	if p.Rows > 0 && p.Cols > 0 {
		p.Data = m.Data[row*m.Stride+col : (rowEnd-1)*m.Stride+colEnd]
	}
	return p
}

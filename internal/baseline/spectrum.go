package baseline

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"

	"moncae/internal/gemm"
	"moncae/internal/pca"
)

// spectrum finds the leading eigenvectors of the covariance, or, where there are
// fewer images than values, of the images' Gram matrix, which has the same
// spectrum: if u is an eigenvector of XXᵀ, then Xᵀu is one of XᵀX.
type spectrum struct {
	of     *mat.Dense
	images *mat.Dense // X, in the case of a Gram matrix
	whole  *mat.Dense // all eigenvectors, once they were needed
}

func newSpectrum(p *PCA) spectrum {
	d := p.set.Shape.Values()
	if len(p.rows) < d {
		x := p.centred(p.rows)
		return spectrum{of: gemm.Product(blas.NoTrans, x, blas.Trans, x), images: x}
	}
	cov := mat.NewDense(d, d, nil)
	for at := 0; at < len(p.rows); at += block {
		addUpper(cov, p.centred(p.rows[at:min(at+block, len(p.rows))]))
	}
	for i := range d {
		for j := range i {
			cov.Set(i, j, cov.At(j, i))
		}
	}
	return spectrum{of: cov}
}

// addUpper adds xᵀx to the upper triangle of sum, and to some of the lower.
func addUpper(sum, x *mat.Dense) {
	const width = 256
	n, d := x.Dims()
	for at := 0; at < d; at += width {
		end := min(at+width, d)
		left, right := x.Slice(0, n, 0, end).(*mat.Dense), x.Slice(0, n, at, end).(*mat.Dense)
		gemm.Mul(blas.Trans, blas.NoTrans, 1, left.RawMatrix(), right.RawMatrix(), 1, sum.Slice(0, end, at, end).(*mat.Dense).RawMatrix())
	}
}

// whole is the largest matrix whose eigenvectors are all computed.
const whole = 1024

// solver finds a direction's share of variance to a millionth where the spectrum falls
// as those of images do.
var solver = pca.Solver{Margin: 32, Passes: 6, Seed: 1, Rotated: whole + 32}

// Dim is the matrix's.
func (s *spectrum) Dim() int { return s.of.RawMatrix().Rows }

// Times is the matrix times q.
func (s *spectrum) Times(q *mat.Dense) *mat.Dense {
	return gemm.Product(blas.NoTrans, s.of, blas.NoTrans, q)
}

// first are the k leading principal directions, or all if there are fewer, as
// orthonormal columns.
func (s *spectrum) first(k int) *mat.Dense {
	var u *mat.Dense
	if m := s.Dim(); m <= whole {
		if s.whole == nil {
			s.whole, _ = solver.Leading(s, m)
		}
		u = s.whole.Slice(0, m, 0, min(k, m)).(*mat.Dense)
	} else {
		u, _ = solver.Leading(s, k)
	}
	if s.images == nil {
		return mat.DenseCopyOf(u)
	}
	return pca.Orthonormal(gemm.Product(blas.Trans, s.images, blas.NoTrans, u))
}

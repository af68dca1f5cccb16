package baseline

import (
	"gonum.org/v1/gonum/mat"

	"moncae/internal/pca"
)

// spectrum finds the leading eigenvectors of the covariance, or, where there are
// fewer images than values, of the images' Gram matrix, which has the same
// spectrum: if u is an eigenvector of XXᵀ, then Xᵀu is one of XᵀX.
type spectrum struct {
	of     *mat.SymDense
	images *mat.Dense // X, in the case of a Gram matrix
	whole  *mat.Dense // all eigenvectors, once they were needed
}

func newSpectrum(p *PCA) spectrum {
	d := p.set.Shape.Values()
	if len(p.rows) < d {
		x := p.centred(p.rows)
		gram := mat.NewSymDense(len(p.rows), nil)
		gram.SymOuterK(1, x)
		return spectrum{of: gram, images: x}
	}
	sum := mat.NewDense(d, d, nil)
	for at := 0; at < len(p.rows); at += block {
		x := p.centred(p.rows[at:min(at+block, len(p.rows))])
		var part mat.Dense
		part.Mul(x.T(), x)
		sum.Add(sum, &part)
	}
	cov := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			cov.SetSym(i, j, sum.At(i, j))
		}
	}
	return spectrum{of: cov}
}

// whole is the largest matrix whose eigenvectors are all computed.
const whole = 1024

// solver finds a direction's share of variance to a millionth where the spectrum falls
// as those of images do.
var solver = pca.Solver{Margin: 32, Passes: 6, Seed: 1, Rotated: whole + 32}

// Dim is the matrix's.
func (s *spectrum) Dim() int { return s.of.SymmetricDim() }

// Times is the matrix times q.
func (s *spectrum) Times(q *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Mul(s.of, q)
	return &out
}

// first are the k leading principal directions, or all if there are fewer, as
// orthonormal columns.
func (s *spectrum) first(k int) *mat.Dense {
	var u mat.Matrix
	if m := s.Dim(); m <= whole {
		if s.whole == nil {
			s.whole, _ = solver.Leading(s, m)
		}
		u = s.whole.Slice(0, m, 0, min(k, m))
	} else {
		u, _ = solver.Leading(s, k)
	}
	if s.images == nil {
		return mat.DenseCopyOf(u)
	}
	var v mat.Dense
	v.Mul(s.images.T(), u)
	return pca.Orthonormal(&v)
}

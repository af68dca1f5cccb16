package baseline

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
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

// first are the k leading principal directions, or all if there are fewer, as
// orthonormal columns.
func (s *spectrum) first(k int) *mat.Dense {
	var u *mat.Dense
	if m := s.of.SymmetricDim(); m <= whole {
		all := s.all()
		u = mat.DenseCopyOf(all.Slice(0, m, 0, min(k, m)))
	} else {
		u = s.leading(k, m)
	}
	if s.images == nil {
		return u
	}
	var v mat.Dense
	v.Mul(s.images.T(), u)
	return orthonormal(&v)
}

// all are the eigenvectors from the largest eigenvalue down.
func (s *spectrum) all() *mat.Dense {
	if s.whole != nil {
		return s.whole
	}
	var eig mat.EigenSym
	if !eig.Factorize(s.of, true) {
		panic("baseline: the eigenvalues of a covariance don't converge")
	}
	var u mat.Dense
	eig.VectorsTo(&u) // ascending
	m, _ := u.Dims()
	turned := mat.NewDense(m, m, nil)
	for j := range m {
		turned.SetCol(j, mat.Col(nil, m-1-j, &u))
	}
	s.whole = turned
	return turned
}

// passes of subspace iteration; with the margin, a direction's share of variance
// is found to a millionth where the spectrum falls as those of images do.
const (
	passes = 6
	margin = 32
)

// leading are the k leading eigenvectors, by subspace iteration from a fixed
// random start (Halko, Martinsson and Tropp 2011) and a Rayleigh-Ritz step.
func (s *spectrum) leading(k, m int) *mat.Dense {
	k = min(m, k)
	wide := min(m, k+margin)
	rng := rand.New(rand.NewPCG(1, 1))
	q := mat.NewDense(m, wide, nil)
	for i := range m {
		for j := range wide {
			q.Set(i, j, rng.NormFloat64())
		}
	}
	for range passes {
		var next mat.Dense
		next.Mul(s.of, q)
		q = orthonormal(&next)
	}
	if wide > whole+margin {
		return mat.DenseCopyOf(q.Slice(0, m, 0, k)) // the step below would cost more than all before
	}
	var aq, small mat.Dense
	aq.Mul(s.of, q)
	small.Mul(q.T(), &aq)
	sym := mat.NewSymDense(wide, nil)
	for i := range wide {
		for j := i; j < wide; j++ {
			sym.SetSym(i, j, (small.At(i, j)+small.At(j, i))/2)
		}
	}
	var u mat.Dense
	inner := spectrum{of: sym}
	u.Mul(q, inner.all())
	return mat.DenseCopyOf(u.Slice(0, m, 0, k))
}

// orthonormal makes the columns orthonormal, in order, by Householder's QR.
func orthonormal(a *mat.Dense) *mat.Dense {
	q := mat.DenseCopyOf(a)
	raw := q.RawMatrix()
	tau, size := make([]float64, raw.Cols), make([]float64, 1)
	lapack64.Geqrf(raw, tau, size, -1) // asks for the size of the workspace
	work := make([]float64, max(int(size[0]), raw.Cols))
	lapack64.Geqrf(raw, tau, work, len(work))
	lapack64.Orgqr(raw, tau, work, len(work))
	return q
}

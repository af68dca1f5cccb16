package pca

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"

	"moncae/internal/gemm"
)

// Operator is a symmetric matrix, known by its products.
type Operator interface {
	Dim() int
	Times(q *mat.Dense) *mat.Dense
}

// Solver finds leading eigenvectors by subspace iteration from a fixed random start
// (Halko, Martinsson and Tropp 2011) and a Rayleigh-Ritz step. Where the subspace is
// the whole, it is that step alone, and exact.
type Solver struct {
	Margin int    // directions beyond those wanted, which speed convergence
	Passes int    // of subspace iteration
	Seed   uint64 // of the start
	// Rotated is the widest subspace for which the Rayleigh-Ritz step is made: wider,
	// it would cost more than all before. 0: any.
	Rotated int
}

// Leading are the min(k, dimension) leading eigenvectors, as orthonormal columns, and
// their eigenvalues, falling; without the Rayleigh-Ritz step these are nil, and the
// columns are a basis in which nearly that order holds.
func (s Solver) Leading(of Operator, k int) (vectors *mat.Dense, values []float64) {
	dim := of.Dim()
	k = min(k, dim)
	wide := min(dim, k+s.Margin)
	rotate := s.Rotated == 0 || wide <= s.Rotated
	if wide == dim && rotate {
		return rayleighRitz(of.Times(identity(dim)), k)
	}
	rng := rand.New(rand.NewPCG(1, s.Seed))
	q := mat.NewDense(dim, wide, nil)
	for i := range dim {
		for j := range wide {
			q.Set(i, j, rng.NormFloat64())
		}
	}
	q = Orthonormal(q)
	for range s.Passes {
		q = Orthonormal(of.Times(q))
	}
	if !rotate {
		return mat.DenseCopyOf(q.Slice(0, dim, 0, k)), nil
	}
	turn, values := rayleighRitz(gemm.Product(blas.Trans, q, blas.NoTrans, of.Times(q)), k)
	return gemm.Product(blas.NoTrans, q, blas.NoTrans, turn), values
}

func identity(n int) *mat.Dense {
	one := mat.NewDense(n, n, nil)
	for i := range n {
		one.Set(i, i, 1)
	}
	return one
}

// rayleighRitz are the k leading eigenvectors of a small matrix, whose upper triangle
// counts.
func rayleighRitz(small *mat.Dense, k int) (*mat.Dense, []float64) {
	n, _ := small.Dims()
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(n, small.RawMatrix().Data), true) {
		panic("pca: the eigenvalues of a symmetric matrix were not found")
	}
	var rising mat.Dense
	eigen.VectorsTo(&rising)
	all := eigen.Values(nil)
	vectors, values := mat.NewDense(n, k, nil), make([]float64, k)
	for j := range k {
		values[j] = max(all[n-1-j], 0)
		vectors.SetCol(j, mat.Col(nil, n-1-j, &rising))
	}
	return vectors, values
}

// Thin picks at most so many rows of width values each at even distances: a data set
// may be in the order of its classes.
func Thin[T any](values []T, width, most int) []T {
	rows := len(values) / width
	if rows <= most {
		return values
	}
	out := make([]T, 0, most*width)
	for i := range most {
		at := i * rows / most * width
		out = append(out, values[at:at+width]...)
	}
	return out
}

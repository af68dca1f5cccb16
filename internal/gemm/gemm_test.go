package gemm

import (
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Products are gonum's, small ones and those that are worth packing, of parts of matrices too.
func TestProductsAreGonums(t *testing.T) {
	for _, n := range []int{5, 150} {
		whole := mat.NewDense(2*n, 2*n, nil)
		for i := range 4 * n * n {
			whole.Set(i/2/n, i%(2*n), float64(i*i%97)-48)
		}
		a, b := whole.Slice(1, n, 2, 2*n).(*mat.Dense), whole.Slice(n, 2*n-1, 1, 2*n-1).(*mat.Dense)
		for name, got := range map[string]struct{ got, a, b mat.Matrix }{
			"a·bᵀ": {Product(blas.NoTrans, a, blas.Trans, b), a, b.T()},
			"aᵀ·b": {Product(blas.Trans, a, blas.NoTrans, b), a.T(), b},
			"a·a'": {Product(blas.NoTrans, a, blas.NoTrans, mat.DenseCopyOf(a.T())), a, a.T()},
		} {
			var want mat.Dense
			want.Mul(got.a, got.b)
			if !mat.EqualApprox(got.got, &want, 1e-12) {
				t.Errorf("%s of %d rows differs from gonum's", name, n)
			}
		}
	}
}

func BenchmarkMul(b *testing.B) {
	const n = 1024
	one := func() blas64.General {
		g := blas64.General{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
		for i := range g.Data {
			g.Data[i] = float64(i % 7)
		}
		return g
	}
	x, y, z := one(), one(), one()
	for name, mul := range map[string]func(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General){"moncae": Mul, "gonum": blas64.Gemm} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				mul(blas.NoTrans, blas.NoTrans, 1, x, y, 0, z)
			}
			b.ReportMetric(2*n*n*n*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gflop/s")
		})
	}
}

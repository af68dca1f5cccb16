// Package gemm multiplies matrices of float64.
//
// Where the build has C (tag onednn) and the processor AVX2 or AVX-512, large
// products are some ten times as fast as gonum's, which all others are.
//
// Promises: the same processor model gives the same bits, whatever else it does and
// however many processors there are. Costs: m·n·k multiply-adds on one processor, and
// some hundred kilobytes beside the matrices.
package gemm

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// least is how many multiply-adds a product has that is worth packing.
const least = 1 << 20

// Mul is c = alpha·a·b + beta·c, with a or b transposed as asked, as blas64.Gemm has it.
func Mul(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General) {
	inner := a.Cols
	if tA != blas.NoTrans {
		inner = a.Rows
	}
	if c.Rows*c.Cols*inner < least || !fast(tA, tB, alpha, a, b, beta, c) {
		blas64.Gemm(tA, tB, alpha, a, b, beta, c)
	}
}

// Product is a·b, with a or b transposed as asked.
func Product(tA blas.Transpose, a *mat.Dense, tB blas.Transpose, b *mat.Dense) *mat.Dense {
	rows, cols := a.Dims()
	if tA != blas.NoTrans {
		rows = cols
	}
	_, cols = b.Dims()
	if tB != blas.NoTrans {
		cols, _ = b.Dims()
	}
	c := mat.NewDense(rows, cols, nil)
	Mul(tA, tB, 1, a.RawMatrix(), b.RawMatrix(), 0, c.RawMatrix())
	return c
}

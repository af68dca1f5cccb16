//go:build onednn && cgo

package gemm

/*
#cgo CFLAGS: -O3 -std=c11 -Wall
#include "gemm.h"
*/
import "C"

import (
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// kernel is the processor's, 0 where it has none.
var kernel = int(C.gemm_kernel())

// fast is Mul by the processor's kernel; false where it has none. Rows of c are
// shared out to the processors: the sums are the same for any number.
func fast(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General) bool {
	if kernel == 0 {
		return false
	}
	part := (c.Rows + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for at := 0; at < c.Rows; at += part {
		rows := min(part, c.Rows-at)
		all.Go(func() { slab(tA, tB, alpha, a, b, beta, c, at, rows) })
	}
	all.Wait()
	return true
}

// slab are some rows of c.
func slab(tA, tB blas.Transpose, alpha float64, a, b blas64.General, beta float64, c blas64.General, at, rows int) {
	ra, ca, inner, first := C.long(a.Stride), C.long(1), a.Cols, at*a.Stride
	if tA != blas.NoTrans {
		ra, ca, inner, first = 1, C.long(a.Stride), a.Rows, at
	}
	rb, cb := C.long(b.Stride), C.long(1)
	if tB != blas.NoTrans {
		rb, cb = cb, rb
	}
	size := int(C.gemm_work(C.int(kernel)))
	work := make([]float64, size)
	C.gemm(C.int(kernel), C.long(rows), C.long(c.Cols), C.long(inner), C.double(alpha), (*C.double)(&a.Data[first]), ra, ca,
		(*C.double)(&b.Data[0]), rb, cb, C.double(beta), (*C.double)(&c.Data[at*c.Stride]), C.long(c.Stride), (*C.double)(&work[0]))
}

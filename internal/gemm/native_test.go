//go:build onednn && cgo

package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Products of every kernel are gonum's, of all shapes: whole tiles, parts of them,
// strides, transposes.
func TestKernelsAreGonums(t *testing.T) {
	best := kernel
	defer func() { kernel = best }()
	for ; kernel > 0; kernel-- {
		t.Run(fmt.Sprint(kernel), everyShape)
	}
}

func everyShape(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(rows, cols int) blas64.General {
		g := blas64.General{Rows: rows, Cols: cols, Stride: cols + rng.IntN(3)}
		g.Data = make([]float64, rows*g.Stride)
		for i := range g.Data {
			g.Data[i] = rng.NormFloat64()
		}
		return g
	}
	for _, size := range [][3]int{{96, 768, 256}, {97, 769, 257}, {1, 500, 300}, {500, 1, 300}, {300, 400, 1}, {100, 50, 511}, {3, 4, 5}} {
		for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				for _, factors := range [][2]float64{{1, 0}, {-0.5, 1}, {2, 0.25}} {
					a, b, c := random(size[0], size[2]), random(size[2], size[1]), random(size[0], size[1])
					if tA == blas.Trans {
						a = random(size[2], size[0])
					}
					if tB == blas.Trans {
						b = random(size[1], size[2])
					}
					if factors[1] == 0 {
						c.Data[0] = math.NaN() // is not read
					}
					want := c
					want.Data = append([]float64{}, c.Data...)
					blas64.Gemm(tA, tB, factors[0], a, b, factors[1], want)
					if !fast(tA, tB, factors[0], a, b, factors[1], c) {
						t.Fatal("no kernel")
					}
					for i, v := range c.Data {
						if !(math.Abs(v-want.Data[i]) <= 1e-11) {
							t.Fatal(fmt.Sprint(size, tA, tB, factors), i, v, want.Data[i])
						}
					}
				}
			}
		}
	}
}

package pca

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"moncae/internal/fixture"
)

func TestPCAIsScikitLearns(t *testing.T) {
	var f struct { // what scikit-learn said; internal/score/testdata/fixture.py writes it
		Images          []int
		Values          int
		Variance, Codes []float64
	}
	fixture.Read(t, "testdata/pca.json", &f)
	images := make([]uint8, len(f.Images))
	for i, v := range f.Images {
		images[i] = uint8(v)
	}
	k := len(f.Variance)
	p := Fit(images, f.Values, k)
	for i, want := range f.Variance {
		fixture.Near(t, "variance", p.Variance[i], want, 1e-4*f.Variance[0])
	}
	codes := p.Codes(images)
	for j := range k { // an axis may point either way
		sign := 1.0
		if float64(codes[j])*f.Codes[j] < 0 {
			sign = -1
		}
		for i := j; i < len(codes); i += k {
			fixture.Near(t, "code", sign*float64(codes[i]), f.Codes[i], 5e-3*math.Sqrt(f.Variance[0]))
		}
	}
}

// With as many components as values nothing is lost: distances stay.
func TestPCAOfFullRankKeepsDistances(t *testing.T) {
	const d, rows = 12, 50
	rng := rand.New(rand.NewPCG(3, 4))
	images := make([]uint8, rows*d)
	for i := range images {
		images[i] = uint8(rng.IntN(256))
	}
	codes := Fit(images, d, d).Codes(images)
	for r := 1; r < rows; r++ {
		was, is := 0.0, 0.0
		for i := range d {
			was += math.Pow((float64(images[i])-float64(images[r*d+i]))/255, 2)
			is += math.Pow(float64(codes[i]-codes[r*d+i]), 2)
		}
		fixture.Near(t, "squared distance", is, was, 1e-4)
	}
}

// Images that are all equal have no direction; their codes are 0.
func TestPCAOfConstantImages(t *testing.T) {
	images := make([]uint8, 40*30)
	for i := range images {
		images[i] = 77
	}
	for _, v := range Fit(images, 30, 3).Codes(images) {
		fixture.Near(t, "code", float64(v), 0, 1e-6)
	}
}

// Of many images those looked at are spread over all of them.
func TestThinSpreads(t *testing.T) {
	images := []uint8{0, 0, 1, 1, 2, 2, 3, 3, 4, 4}
	if got := Thin(images, 2, 3); !slices.Equal(got, []uint8{0, 0, 1, 1, 3, 3}) {
		t.Errorf("%v", got)
	}
	if got := Thin(images, 2, 5); len(got) != len(images) {
		t.Errorf("%v", got)
	}
}

type dense struct{ *mat.SymDense }

func (d dense) Dim() int { return d.SymmetricDim() }

func (d dense) Times(q *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Mul(d.SymDense, q)
	return &out
}

func TestSubspaceIterationFindsTheLeadingDirections(t *testing.T) {
	const m, k = 120, 10
	rng := rand.New(rand.NewPCG(2, 3))
	x := mat.NewDense(m, m, nil)
	for i := range m {
		for j := range m {
			x.Set(i, j, rng.NormFloat64()/float64(1+j)) // variance falls as 1/j², as that of images does
		}
	}
	var cov mat.SymDense
	cov.SymOuterK(1, x.T())
	captured := func(u mat.Matrix) float64 {
		var au, uau mat.Dense
		au.Mul(&cov, u)
		uau.Mul(u.T(), &au)
		return mat.Trace(&uau)
	}
	whole, values := Solver{Margin: m}.Leading(dense{&cov}, k)
	q, near := Solver{Margin: 32, Passes: 6, Seed: 1}.Leading(dense{&cov}, k)
	exact, found := captured(whole), captured(q)
	if math.Abs(found-exact) > 1e-6*exact || math.Abs(values[0]-near[0]) > 1e-6*values[0] {
		t.Errorf("variance %v, all there is %v; the first has %v, %v", found, exact, near[0], values[0])
	}
	var qq mat.Dense
	qq.Mul(q.T(), q)
	if !mat.EqualApprox(&qq, identity(k), 1e-12) {
		t.Errorf("not orthonormal: %v", mat.Formatted(&qq))
	}
}

// Bases are orthonormal and span the columns, of many panels, of columns that depend on
// others, and of none but zeros.
func TestOrthonormal(t *testing.T) {
	const rows, cols = 150, 100
	rng := rand.New(rand.NewPCG(5, 6))
	a := mat.NewDense(rows, cols, nil)
	for i := range rows {
		for j := range cols {
			a.Set(i, j, rng.NormFloat64()*math.Pow(10, -float64(j%9)))
		}
		a.Set(i, 40, a.At(i, 3)-a.At(i, 7))
		a.Set(i, 50, 0)
	}
	for name, a := range map[string]*mat.Dense{"random": a, "zeros": mat.NewDense(rows, cols, nil), "square": mat.DenseCopyOf(a.Slice(0, cols, 0, cols)), "one": mat.DenseCopyOf(a.Slice(0, 1, 0, 1))} {
		q := Orthonormal(mat.DenseCopyOf(a))
		var qq, qa, back mat.Dense
		qq.Mul(q.T(), q)
		_, n := a.Dims()
		if !mat.EqualApprox(&qq, identity(n), 1e-13) {
			t.Errorf("%s: not orthonormal", name)
		}
		qa.Mul(q.T(), a)
		back.Mul(q, &qa)
		if !mat.EqualApprox(&back, a, 1e-12) {
			t.Errorf("%s: another span", name)
		}
		for j := range n { // in order: the first columns' span is that of a's
			for i := j + 1; i < n; i++ {
				if math.Abs(qa.At(i, j)) > 1e-12 {
					t.Fatalf("%s: column %d needs direction %d", name, j, i)
				}
			}
		}
	}
}

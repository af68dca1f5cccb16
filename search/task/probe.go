package task

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"moncae/internal/dataset"
	"moncae/internal/engine"
)

// The probe: ridge regression from standardised latents to the classes (one-hot),
// fitted on at most ProbeImages training images with the penalty probeRidge times
// their number, and read by its largest output.

// ProbeImages is how many training images a probe learns from at most.
const ProbeImages = 2000

// probeRidge times the number of images is the penalty.
const probeRidge = 1e-2

// Probe is the share of labelled validation images that a linear classifier of the
// latents gets wrong.
type Probe struct {
	Train      Rows `json:"train"` // labelled
	Validation Rows `json:"validation"`
	// Within has weights compared by the area that they dominate; nil: by their loss.
	Within *Within `json:"within,omitempty"`
}

// Within is what of the reference point a training changes: the reference, or the bound
// below it, of the loss (nil where that is no objective) and of the probe's error.
type Within struct {
	Loss  *float64 `json:"loss,omitempty"`
	Error float64  `json:"error"`
}

// score is the less, the larger the area is that weights dominate within it. It is below
// zero there; beyond, it is their loss.
func (w Within) score(loss, wrong float64) float64 {
	area := max(0, w.Error-wrong)
	if w.Loss != nil {
		area *= max(0, *w.Loss-loss)
	}
	if area == 0 {
		return loss
	}
	return -area
}

func (r Probe) measure(p engine.Program, set *dataset.Set, values int) (float64, error) {
	x, err := latents(p, r.Train.Numbers, values)
	if err != nil {
		return 0, err
	}
	v, err := latents(p, r.Validation.Numbers, values)
	if err != nil {
		return 0, err
	}
	return r.Error(set, x, v), nil
}

// Error is the share that a probe gets wrong which learns from codes of the training
// rows, x, and is measured on those of the validation rows, v; both are changed.
func (r Probe) Error(set *dataset.Set, x, v *mat.Dense) float64 {
	standardise(x, v)
	scores := ridge(x, oneHot(set, r.Train.Numbers), v)
	wrong := 0
	for i, row := range r.Validation.Numbers {
		answers := scores.RawRowView(i)
		if slices.Index(answers, slices.Max(answers)) != int(set.Labels[row]) {
			wrong++
		}
	}
	return float64(wrong) / float64(len(r.Validation.Numbers))
}

func latents(p engine.Program, rows []int32, values int) (*mat.Dense, error) {
	flat := make([]float32, len(rows)*values)
	if err := p.Infer(rows, flat, nil); err != nil {
		return nil, err
	}
	x := mat.NewDense(len(rows), values, nil)
	for i := range rows {
		for k, v := range flat[i*values : (i+1)*values] {
			x.Set(i, k, float64(v))
		}
	}
	return x, nil
}

// standardise gives x's columns mean 0 and variance 1, and v the same change;
// columns that don't vary become 0.
func standardise(x, v *mat.Dense) {
	n, d := x.Dims()
	for k := range d {
		mean, square := 0.0, 0.0
		for i := range n {
			mean += x.At(i, k) / float64(n)
		}
		for i := range n {
			e := x.At(i, k) - mean
			square += e * e / float64(n)
		}
		change := func(m *mat.Dense) {
			rows, _ := m.Dims()
			for i := range rows {
				e := 0.0
				if square > 1e-12 {
					e = (m.At(i, k) - mean) / math.Sqrt(square)
				}
				m.Set(i, k, e)
			}
		}
		change(x)
		change(v)
	}
}

// oneHot are the labels as rows with a 1 in the place of the class.
func oneHot(set *dataset.Set, rows []int32) *mat.Dense {
	y := mat.NewDense(len(rows), len(set.Classes), nil)
	for i, r := range rows {
		y.Set(i, int(set.Labels[r]), 1)
	}
	return y
}

// ridge fits y ≈ x·w + mean(y) and gives v·w + mean(y). It solves for as many
// unknowns as there are columns or rows in x, whichever are fewer.
func ridge(x, y, v *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	_, classes := y.Dims()
	means := make([]float64, classes)
	centred := mat.DenseCopyOf(y)
	for c := range classes {
		means[c] = mat.Sum(y.ColView(c)) / float64(n)
		for i := range n {
			centred.Set(i, c, y.At(i, c)-means[c])
		}
	}
	var scores mat.Dense
	if d <= n {
		var right, w mat.Dense
		right.Mul(x.T(), centred)
		solve(x.T(), n, &right, &w)
		scores.Mul(v, &w)
	} else {
		var dual, back mat.Dense
		solve(x, n, centred, &dual)
		back.Mul(v, x.T())
		scores.Mul(&back, &dual)
	}
	rows, _ := scores.Dims()
	for i := range rows {
		for c := range classes {
			scores.Set(i, c, scores.At(i, c)+means[c])
		}
	}
	return &scores
}

// solve finds w in (a·aᵀ + probeRidge·n·I)·w = right.
func solve(a mat.Matrix, n int, right, w *mat.Dense) {
	var outer mat.SymDense
	outer.SymOuterK(1, a)
	for i := range outer.SymmetricDim() {
		outer.SetSym(i, i, outer.At(i, i)+probeRidge*float64(n))
	}
	var chol mat.Cholesky
	if !chol.Factorize(&outer) {
		panic("task: a positive definite matrix isn't")
	}
	if err := chol.SolveTo(w, right); err != nil {
		panic("task: " + err.Error()) // the ridge keeps it well-conditioned
	}
}

package surrogate

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// What Fit chooses from, by the likelihood of what was observed: the size and the
// length (in standard deviations of a feature, over all features) of the residual,
// and the noise of an observation.
var (
	sizes   = []float64{0.15, 0.3, 0.6, 1.2}
	lengths = []float64{0.5, 1, 2}
	noises  = []float64{0.05, 0.12, 0.3}
)

// chosenFrom is how many observations they are chosen by: three numbers need no more,
// and each of the choices costs the cube.
const chosenFrom = 96

// level and slope are standard deviations of the prior: of the data set's own
// level, and of a weight's difference from that of the prior.
const (
	level = 1.0
	slope = 0.15
)

// Process is a Gaussian process over features: the prior's line, whose weights and
// level may differ from data set to data set, and a residual with a Matérn kernel
// (ν = 5/2; Rasmussen and Williams 2006, chapters 2, 4 and 5).
type Process struct {
	prior   Prior
	rows    [][]float64 // standardised
	size    float64
	length  float64
	noise   float64
	weights []float64     // K⁻¹(y − mean)
	inverse *mat.SymDense // K⁻¹
}

// Fit makes a process of observations y at features x; there may be none.
func Fit(prior Prior, x [][]float64, y []float64) *Process {
	p := &Process{prior: prior, size: sizes[1], length: lengths[1], noise: noises[1]}
	for _, row := range x {
		p.rows = append(p.rows, prior.standardise(row))
	}
	if len(x) == 0 {
		return p
	}
	residual := make([]float64, len(y))
	for i, v := range y {
		residual[i] = v - prior.mean(p.rows[i])
	}
	p.choose(residual)
	var chol mat.Cholesky
	line, distances := p.gram()
	if _, ok := p.condition(line, distances, mat.NewVecDense(len(y), residual), &chol); !ok {
		panic("surrogate: a covariance with noise is not positive definite")
	}
	p.inverse = new(mat.SymDense)
	if err := chol.InverseTo(p.inverse); err != nil {
		panic("surrogate: " + err.Error()) // the noise keeps it well-conditioned
	}
	return p
}

// choose takes the size, length and noise under which the observations are likeliest;
// of many, chosenFrom that are evenly spread decide.
func (p *Process) choose(residual []float64) {
	some := Process{}
	var y []float64
	n := min(len(residual), chosenFrom)
	for i := range n {
		k := i * len(residual) / n
		some.rows, y = append(some.rows, p.rows[k]), append(y, residual[k])
	}
	best := math.Inf(-1)
	var chol mat.Cholesky
	line, distances := some.gram()
	for _, size := range sizes {
		for _, length := range lengths {
			for _, noise := range noises {
				some.size, some.length, some.noise = size, length, noise
				if likelihood, ok := some.condition(line, distances, mat.NewVecDense(n, y), &chol); ok && likelihood > best {
					best = likelihood
					p.size, p.length, p.noise = size, length, noise
				}
			}
		}
	}
}

// gram are the line's covariances of all rows, and the distances between them.
func (p *Process) gram() (line, distances *mat.SymDense) {
	n := len(p.rows)
	line, distances = mat.NewSymDense(n, nil), mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			l, d := compare(p.rows[i], p.rows[j])
			line.SetSym(i, j, l)
			distances.SetSym(i, j, d)
		}
	}
	return line, distances
}

// condition computes the weights and the logarithm of the marginal likelihood.
func (p *Process) condition(line, distances *mat.SymDense, y *mat.VecDense, chol *mat.Cholesky) (likelihood float64, ok bool) {
	n := y.Len()
	k := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			v := line.At(i, j) + p.matern(distances.At(i, j))
			if i == j {
				v += p.noise * p.noise
			}
			k.SetSym(i, j, v)
		}
	}
	if !chol.Factorize(k) {
		return 0, false
	}
	var w mat.VecDense
	if err := chol.SolveVecTo(&w, y); err != nil {
		return 0, false
	}
	p.weights = w.RawVector().Data
	return -0.5*mat.Dot(y, &w) - 0.5*chol.LogDet(), true
}

// Predict is the mean and the standard deviation of an observation at x, without
// the noise.
func (p *Process) Predict(x []float64) (mean, deviation float64) {
	row := p.prior.standardise(x)
	mean = p.prior.mean(row)
	l, _ := compare(row, row)
	variance := l + p.size*p.size
	n := len(p.rows)
	if n == 0 {
		return mean, math.Sqrt(variance)
	}
	k := make([]float64, n)
	for i, r := range p.rows {
		l, d := compare(row, r)
		k[i] = l + p.matern(d)
		mean += k[i] * p.weights[i]
	}
	raw := p.inverse.RawSymmetric() // the upper triangle, row by row
	for i := range n {
		row := raw.Data[i*raw.Stride : i*raw.Stride+n]
		sum := row[i] * k[i] / 2
		for j := i + 1; j < n; j++ {
			sum += row[j] * k[j]
		}
		variance -= 2 * k[i] * sum
	}
	return mean, math.Sqrt(max(variance, 0))
}

// compare gives the line's covariance of two rows and the distance between them,
// as a root mean square over the features.
func compare(a, b []float64) (line, distance float64) {
	dot, square := 0.0, 0.0
	for i := range a {
		dot += a[i] * b[i]
		square += (a[i] - b[i]) * (a[i] - b[i])
	}
	return level*level + slope*slope*dot, math.Sqrt(square / float64(len(a)))
}

func (p *Process) matern(distance float64) float64 {
	r := math.Sqrt(5) * distance / p.length
	return p.size * p.size * (1 + r + r*r/3) * math.Exp(-r)
}

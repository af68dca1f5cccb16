package surrogate

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// What Fit chooses from, by the likelihood of what was observed: the standard
// deviations of the residual, of what latents of one size have in common, and of the
// noise of an observation.
var (
	residuals = []float64{0.1, 0.2, 0.4}
	offsets   = []float64{0.1, 0.2, 0.4, 0.8}
	noises    = []float64{0.05, 0.12, 0.3}
)

// chosenFrom is how many observations they are chosen by: three numbers need no more,
// and each of the choices costs the cube.
const chosenFrom = 96

// level is the standard deviation of a data set's own level.
const level = 1.0

// growth is how much more the networks of a latent differ than those of one with an
// e-th of its values: a latent of few values holds what it can, whatever the network.
// With one deviation for all, the smallest sizes promised to the end what they couldn't
// keep (docs/results.md).
const growth = 0.15

// Process is a Gaussian process over features: the prior's line, whose weights and
// level may differ from data set to data set and from latent size to latent size,
// and a residual with a Matérn kernel over all features (ν = 5/2, of length 1;
// Rasmussen and Williams 2006, chapters 2, 4 and 5). Sizes are alike within a factor
// of e or two. What a size can reach is a limit of the data's, not the sum of what
// its networks' features promise: without an offset of its own the smallest one,
// which the hypervolume favours, is overestimated to the end.
type Process struct {
	prior   Prior
	rows    [][]float64 // standardised
	chosen  choice
	weights []float64     // K⁻¹(y − mean)
	inverse *mat.SymDense // K⁻¹
}

// choice are the standard deviations that Fit chooses.
type choice struct{ residual, offset, noise float64 }

// alike is what of a covariance doesn't depend on the choice: of the line, of the
// residual, and of the latent sizes.
type alike struct{ line, matern, size float64 }

func (c choice) covariance(a alike) float64 {
	return a.line + c.residual*c.residual*a.matern + c.offset*c.offset*a.size
}

// outlying is how many of its deviations an observation may be worse than what all
// others let expect; what is beyond that is cut off.
const outlying = 2

// Fit makes a process of observations y at features x; there may be none. An
// observation that is far worse than expected is pulled in: a training that diverged
// says that its like may diverge, and not that all that shares something with it is bad.
func Fit(prior Prior, x [][]float64, y []float64) *Process {
	p := &Process{prior: prior, chosen: choice{residuals[1], offsets[1], noises[1]}}
	if len(x) == 0 {
		return p
	}
	residual := make([]float64, len(y))
	for i, v := range y {
		row := prior.standardise(x[i])
		p.rows, residual[i] = append(p.rows, row), v-prior.mean(row)
	}
	pairs := p.gram()
	p.fit(pairs, residual)
	for i := range residual {
		// Leaving one out, by Rasmussen and Williams 2006, equation 5.12.
		precision := p.inverse.At(i, i)
		if off := p.weights[i] / precision; off > outlying/math.Sqrt(precision) {
			residual[i] -= off - outlying/math.Sqrt(precision)
		}
	}
	p.fit(pairs, residual)
	return p
}

// fit chooses, and learns the residuals from the prior's line.
func (p *Process) fit(pairs []alike, residual []float64) {
	p.choose(residual)
	var chol mat.Cholesky
	if _, ok := p.condition(pairs, mat.NewVecDense(len(residual), residual), &chol); !ok {
		panic("surrogate: a covariance with noise is not positive definite")
	}
	p.inverse = new(mat.SymDense)
	if err := chol.InverseTo(p.inverse); err != nil {
		panic("surrogate: " + err.Error()) // the noise keeps it well-conditioned
	}
}

// choose takes what the observations are likeliest under; of many, chosenFrom that are
// evenly spread decide.
func (p *Process) choose(residual []float64) {
	some := Process{prior: p.prior}
	var y []float64
	n := min(len(residual), chosenFrom)
	for i := range n {
		k := i * len(residual) / n
		some.rows, y = append(some.rows, p.rows[k]), append(y, residual[k])
	}
	best := math.Inf(-1)
	var chol mat.Cholesky
	pairs := some.gram()
	for _, r := range residuals {
		for _, o := range offsets {
			for _, noise := range noises {
				some.chosen = choice{r, o, noise}
				if likelihood, ok := some.condition(pairs, mat.NewVecDense(n, y), &chol); ok && likelihood > best {
					best, p.chosen = likelihood, some.chosen
				}
			}
		}
	}
}

// gram compares all pairs of rows: the upper triangle, row by row.
func (p *Process) gram() []alike {
	var pairs []alike
	for i, a := range p.rows {
		for _, b := range p.rows[i:] {
			pairs = append(pairs, p.prior.compare(a, b))
		}
	}
	return pairs
}

// condition computes the weights and the logarithm of the marginal likelihood.
func (p *Process) condition(pairs []alike, y *mat.VecDense, chol *mat.Cholesky) (likelihood float64, ok bool) {
	n := y.Len()
	k := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			v := p.chosen.covariance(pairs[0])
			pairs = pairs[1:]
			if i == j {
				v += p.chosen.noise * p.chosen.noise * p.prior.spread(p.rows[i], p.rows[i])
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
	variance := p.chosen.covariance(p.prior.compare(row, row))
	n := len(p.rows)
	if n == 0 {
		return mean, math.Sqrt(variance)
	}
	k := make([]float64, n)
	for i, r := range p.rows {
		k[i] = p.chosen.covariance(p.prior.compare(row, r))
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

// Noise is the standard deviation of an observation at x around what Predict is of.
func (p *Process) Noise(x []float64) float64 {
	row := p.prior.standardise(x)
	return p.chosen.noise * math.Sqrt(p.prior.spread(row, row))
}

// spread is what growth makes of a covariance of two standardised rows.
func (p Prior) spread(a, b []float64) float64 {
	return math.Exp(growth * p.Scale[0] * (a[0] + b[0]))
}

// compare compares two standardised rows; the distance is a root mean square over
// the features.
func (p Prior) compare(a, b []float64) alike {
	dot, square := 0.0, 0.0
	for i := range a {
		dot += a[i] * b[i]
		square += (a[i] - b[i]) * (a[i] - b[i])
	}
	r := math.Sqrt(5 * square / float64(len(a)))
	size := p.Scale[0] * (a[0] - b[0]) // Names' first, in e-folds
	near := math.Exp(-size * size / 2)
	spread := p.spread(a, b)
	return alike{
		line:   level*level + p.slope*p.slope*dot*(1+near)*spread,
		matern: (1 + r + r*r/3) * math.Exp(-r) * spread,
		size:   near,
	}
}

package baseline

import "math"

// link maps a linear reconstruction r to a probability, σ(a·r + b).
type link struct{ a, b float64 }

// newLink is the tangent that makes σ nearly the identity around ½.
func newLink() link { return link{4, -2} }

// fitSteps bounds Newton's method; it takes about ten.
const fitSteps = 50

// fit minimises the mean BCE of reconstructions r of values x, which is convex in
// a and b, by Newton's method with halved steps.
func (l *link) fit(x, r []float64) {
	at := l.sums(x, r)
	for range fitSteps {
		det := at.haa*at.hbb - at.hab*at.hab
		if !(det > 1e-12*at.haa*at.hbb) {
			return // all reconstructions agree: b alone can't be told from a
		}
		da, db := (at.hbb*at.ga-at.hab*at.gb)/det, (at.haa*at.gb-at.hab*at.ga)/det
		if at.ga*da+at.gb*db < 1e-12*at.loss { // Newton's decrement
			return
		}
		for step := 1.0; ; step /= 2 {
			try := link{l.a - step*da, l.b - step*db}
			next := try.sums(x, r)
			if next.loss < at.loss {
				*l, at = try, next
				break
			}
			if step < 1e-6 {
				return
			}
		}
	}
}

// sums are the loss, its gradient and its Hessian, summed over all values.
type sums struct{ loss, ga, gb, haa, hab, hbb float64 }

func (l link) sums(x, r []float64) (s sums) {
	for i, t := range x {
		z := l.a*r[i] + l.b
		p := 1 / (1 + math.Exp(-z))
		s.loss += bce(z, t)
		e, h := p-t, p*(1-p)
		s.ga += e * r[i]
		s.gb += e
		s.haa += h * r[i] * r[i]
		s.hab += h * r[i]
		s.hbb += h
	}
	return s
}

// loss is the summed BCE of values x reconstructed as r.
func (l link) loss(x, r []float64) float64 {
	sum := 0.0
	for i, t := range x {
		sum += bce(l.a*r[i]+l.b, t)
	}
	return sum
}

// bce is the cross-entropy of the logit z for the value t.
func bce(z, t float64) float64 { return max(z, 0) - z*t + math.Log1p(math.Exp(-math.Abs(z))) }

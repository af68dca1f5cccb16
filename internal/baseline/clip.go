package baseline

import "math"

// clip maps a linear reconstruction r to a probability: r itself, but at least ε and
// at most 1 − ε, for a value that is certain and wrong costs without limit.
type clip struct{ epsilon float64 }

// Margins to choose from are ¼, ⅛, … down to 2^−finest.
const finest = 24

// bucket are the reconstructions between two margins, ½ at first: how many, their
// summed values, and what they cost as they are.
type bucket struct{ n, x, loss float64 }

// newClip takes the margin by which reconstructions r of values x have the least BCE.
func newClip(x, r []float64) clip {
	var buckets [finest + 1]bucket
	for i, t := range x {
		p := r[i]
		if p > 0.5 {
			t, p = 1-t, 1-p // costs the same, and so does its margin
		}
		k := finest
		if p > 0 {
			k = min(int(-math.Log2(p)), finest)
		}
		b := &buckets[k]
		b.n, b.x = b.n+1, b.x+t
		if p > 0 {
			b.loss += cross(p, t)
		}
	}
	best, least := clip{}, math.Inf(1)
	for k := 2; k <= finest; k++ {
		epsilon, loss := math.Exp2(-float64(k)), 0.0
		for at, b := range buckets {
			if at >= k {
				loss += cross(epsilon, b.x/max(b.n, 1)) * b.n
			} else {
				loss += b.loss
			}
		}
		if loss < least {
			best, least = clip{epsilon}, loss
		}
	}
	return best
}

// loss is the summed BCE of values x reconstructed as r.
func (c clip) loss(x, r []float64) float64 {
	sum := 0.0
	for i, t := range x {
		sum += cross(min(max(r[i], c.epsilon), 1-c.epsilon), t)
	}
	return sum
}

// cross is the cross-entropy of the probability p, between 0 and 1, for the value t.
func cross(p, t float64) float64 { return -t*math.Log(p) - (1-t)*math.Log1p(-p) }

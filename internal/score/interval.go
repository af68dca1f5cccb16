package score

import "math"

// z95 is the 97.5 % quantile of the normal distribution.
const z95 = 1.959963984540054

// Wilson95 is Wilson's 95 % score interval of a share: hits of rows, rows > 0
// (Wilson 1927; the one without continuity correction). It stays within [0, 1]
// and says something at 0 and at rows too.
func Wilson95(hits, rows int) [2]float64 {
	n := float64(rows)
	p, zz := float64(hits)/n, z95*z95
	centre := (p + zz/(2*n)) / (1 + zz/n)
	half := z95 / (1 + zz/n) * math.Sqrt(p*(1-p)/n+zz/(4*n*n))
	return [2]float64{max(0, centre-half), min(1, centre+half)}
}

// Paired compares two classifiers on the same rows.
type Paired struct {
	// Gain is this accuracy minus the other's, with its 95 % interval (Wald's, on
	// the paired differences).
	Gain       float64    `json:"gain"`
	Interval95 [2]float64 `json:"gain_interval95"`
	// OnlyThis and OnlyOther count the rows that one of the two gets right.
	OnlyThis  int `json:"only_this"`
	OnlyOther int `json:"only_other"`
	// P is McNemar's two-sided exact probability of a split at least as uneven
	// where both are equally good.
	P float64 `json:"mcnemar_p"`
}

func pair(this, other []bool) *Paired {
	p := &Paired{}
	for i := range this {
		switch {
		case this[i] && !other[i]:
			p.OnlyThis++
		case other[i] && !this[i]:
			p.OnlyOther++
		}
	}
	n, b, c := float64(len(this)), float64(p.OnlyThis), float64(p.OnlyOther)
	p.Gain = (b - c) / n
	half := z95 * math.Sqrt(b+c-(b-c)*(b-c)/n) / n
	p.Interval95 = [2]float64{p.Gain - half, p.Gain + half}
	p.P = binomialTwoSided(p.OnlyThis, p.OnlyThis+p.OnlyOther)
	return p
}

// binomialTwoSided is the two-sided exact probability of k of n at a fair coin.
func binomialTwoSided(k, n int) float64 {
	tail := 0.0
	total, _ := math.Lgamma(float64(n + 1))
	for i := 0; i <= min(k, n-k); i++ {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		tail += math.Exp(total - a - b - float64(n)*math.Ln2)
	}
	return min(1, 2*tail)
}

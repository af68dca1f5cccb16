// Package stats has the statistics that searches are compared by: quantiles, the
// rank test of two samples, and that of pairs. Pure arithmetic.
//
// Its numbers are those of numpy.quantile and scipy.stats.mannwhitneyu with their
// defaults, and of an exact scipy.stats.wilcoxon, to rounding. Samples must not be
// empty, nor hold NaN.
package stats

import (
	"cmp"
	"math"
	"slices"
)

// Quantile is the q-quantile of values, between two of them by the straight line
// (Hyndman and Fan's type 7). Infinite values are fine.
func Quantile(values []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(values))
	at := q * float64(len(s)-1)
	below := int(at)
	above := min(below+1, len(s)-1)
	part := at - float64(below)
	if part == 0 || s[below] == s[above] {
		return s[below]
	}
	return s[below] + part*(s[above]-s[below])
}

// Median is the 0.5-quantile.
func Median(values []float64) float64 { return Quantile(values, 0.5) }

// RankTest is what MannWhitney finds of two samples a and b.
type RankTest struct {
	U     float64 `json:"u"`     // pairs in which a's value is larger; equal ones count half
	P     float64 `json:"p"`     // two-sided
	Exact bool    `json:"exact"` // by the distribution of U, not by its normal limit
	// Effect is U over the number of pairs: the chance that a's value is larger
	// (Vargha and Delaney's A); 0.5 is no difference.
	Effect float64 `json:"effect"`
}

// exactUpTo is the size of the smaller sample up to which the test is exact, where
// no values are equal.
const exactUpTo = 8

// MannWhitney is the two-sided rank test of Mann and Whitney (1947): exact where a
// sample has at most 8 values and none are equal, else by the normal limit with
// corrections for ties and continuity. It costs O(n·log n); an exact one n²·m·(n+m)
// sums, for n the smaller sample's size.
func MannWhitney(a, b []float64) RankTest {
	ranks, ties := rankSum(a, b)
	n, m := float64(len(a)), float64(len(b))
	t := RankTest{U: ranks - n*(n+1)/2}
	t.Effect = t.U / (n * m)
	larger := max(t.U, n*m-t.U)
	if t.Exact = ties == 0 && min(len(a), len(b)) <= exactUpTo; t.Exact {
		t.P = min(1, 2*atLeast(min(len(a), len(b)), max(len(a), len(b)), larger))
		return t
	}
	all := n + m
	deviation := math.Sqrt(n * m / 12 * (all + 1 - ties/(all*(all-1))))
	if deviation == 0 { // all values are equal
		t.P = 1
		return t
	}
	z := (larger - n*m/2 - 0.5) / deviation
	t.P = min(1, math.Erfc(z/math.Sqrt2)) // twice the upper tail
	return t
}

// rankSum is the sum of a's ranks in both samples together, equal values sharing
// the mean of their ranks, and the sum of k³ − k over the sets of k equal values.
func rankSum(a, b []float64) (sum, ties float64) {
	type value struct {
		v    float64
		ofA  float64 // 1 or 0
		rank float64
	}
	all := make([]value, 0, len(a)+len(b))
	for _, v := range a {
		all = append(all, value{v: v, ofA: 1})
	}
	for _, v := range b {
		all = append(all, value{v: v})
	}
	slices.SortFunc(all, func(x, y value) int { return cmp.Compare(x.v, y.v) })
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].v == all[i].v {
			j++
		}
		k := float64(j - i)
		ties += k*k*k - k
		for ; i < j; i++ {
			all[i].rank = float64(j) - (k-1)/2
			sum += all[i].ofA * all[i].rank
		}
	}
	return sum, ties
}

// atLeast is the chance that U of samples of n and m values from one distribution
// is u or more: the share of the choices of n out of n+m ranks with such a sum.
func atLeast(n, m int, u float64) float64 {
	most := n * m
	ways := make([][]float64, n+1) // by the number of ranks chosen, and by their U
	for j := range ways {
		ways[j] = make([]float64, most+1)
	}
	ways[0][0] = 1
	for rank := range n + m { // as the j-th chosen, it has rank−(j−1) unchosen ones below
		for j := min(n, rank+1); j >= 1; j-- {
			below := rank - (j - 1)
			if below > m {
				continue
			}
			for s := most; s >= below; s-- {
				ways[j][s] += ways[j-1][s-below]
			}
		}
	}
	total, tail := 0.0, 0.0
	for s, w := range ways[n] {
		total += w
		if float64(s) >= u {
			tail += w
		}
	}
	return tail / total
}

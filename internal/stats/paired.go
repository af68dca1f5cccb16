package stats

import (
	"cmp"
	"math"
	"slices"
)

// PairedTest is what SignedRank finds of pairs' differences.
type PairedTest struct {
	Pairs int     `json:"pairs"` // those that differ
	W     float64 `json:"w"`     // the ranks' sum of positive differences
	P     float64 `json:"p"`     // two-sided; 1 where no pair differs
	Exact bool    `json:"exact"` // by the distribution of W, not by its normal limit
}

// exactPairs is the number of pairs up to which the test is exact.
const exactPairs = 50

// SignedRank is the two-sided test of Wilcoxon (1945) of whether differences lie about
// zero, those of zero left out: up to 50 by the distribution of all signs, also where
// some are equally large, beyond by the normal limit with a correction for these. It
// is scipy.stats.wilcoxon's with a method that is exact, and costs O(n³).
func SignedRank(differences []float64) PairedTest {
	d := slices.DeleteFunc(slices.Clone(differences), func(v float64) bool { return v == 0 })
	slices.SortFunc(d, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) })
	t := PairedTest{Pairs: len(d), P: 1, Exact: len(d) <= exactPairs}
	if len(d) == 0 {
		return t
	}
	doubled := doubledRanks(d)
	sum, ofPositive, squares := 0, 0, 0.0
	for i, r := range doubled {
		sum += r
		squares += float64(r) * float64(r)
		if d[i] > 0 {
			ofPositive += r
		}
	}
	t.W = float64(ofPositive) / 2
	farther := max(ofPositive, sum-ofPositive)
	if t.Exact {
		t.P = min(1, 2*signsAtLeast(doubled, sum, farther))
		return t
	}
	z := (float64(farther) - float64(sum)/2) / (math.Sqrt(squares) / 2)
	t.P = math.Erfc(z / math.Sqrt2)
	return t
}

// doubledRanks are twice the ranks of sizes that rise, equal ones sharing the mean of
// theirs: whole numbers.
func doubledRanks(rising []float64) []int {
	ranks := make([]int, len(rising))
	for i := 0; i < len(rising); {
		j := i
		for j < len(rising) && math.Abs(rising[j]) == math.Abs(rising[i]) {
			j++
		}
		shared := i + 1 + j
		for ; i < j; i++ {
			ranks[i] = shared
		}
	}
	return ranks
}

// signsAtLeast is the chance that those of the ranks that fair coins choose have a sum
// of `least` or more.
func signsAtLeast(ranks []int, sum, least int) float64 {
	chance := make([]float64, sum+1)
	chance[0] = 1
	for _, r := range ranks {
		for s := sum; s >= 0; s-- {
			chance[s] /= 2
			if s >= r {
				chance[s] += chance[s-r] / 2
			}
		}
	}
	tail := 0.0
	for _, c := range chance[least:] {
		tail += c
	}
	return tail
}

package dataset

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// sample draws n rows without replacement, stratified by label: every class
// gives its share of n, the fractions left over going to the largest remainders
// (Hamilton's method; ties to the smaller label). The result is sorted, and
// depends on labels, n and seed only.
func sample(labels []int32, n int, seed uint64) []int64 {
	classes := map[int32][]int64{}
	for i, l := range labels {
		classes[l] = append(classes[l], int64(i))
	}
	quota := shares(classes, len(labels), n)
	out := make([]int64, 0, n)
	for label, rows := range classes {
		shuffle(rows, rand.NewPCG(seed, uint64(uint32(label))))
		out = append(out, rows[:quota[label]]...)
	}
	slices.Sort(out)
	return out
}

func shares(classes map[int32][]int64, total, n int) map[int32]int {
	quota := map[int32]int{}
	type remainder struct {
		label int32
		of    int
	}
	var rest []remainder
	left := n
	for label, rows := range classes {
		product := len(rows) * n
		quota[label] = product / total
		left -= quota[label]
		rest = append(rest, remainder{label, product % total})
	}
	slices.SortFunc(rest, func(a, b remainder) int {
		return cmp.Or(cmp.Compare(b.of, a.of), cmp.Compare(a.label, b.label))
	})
	for _, r := range rest[:left] {
		quota[r.label]++
	}
	return quota
}

// shuffle is Fisher and Yates' on PCG, spelled out so that it stays the same
// with every version of Go. The modulus favours small numbers by less than 2^-40.
func shuffle(rows []int64, r *rand.PCG) {
	for i := len(rows) - 1; i > 0; i-- {
		j := r.Uint64() % uint64(i+1)
		rows[i], rows[j] = rows[j], rows[i]
	}
}

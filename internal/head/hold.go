package head

import (
	"math"
	"math/rand/v2"
)

// holdOut parts the rows by label: of every class with two rows or more, share
// of its rows, at least one and not all, go to held. Both parts are in file order.
// Equal seeds and labels give equal parts.
func holdOut(labels []int32, classes int, share float64, seed uint64) (fit, held []int32) {
	rows := make([][]int32, classes)
	for i, label := range labels {
		rows[label] = append(rows[label], int32(i))
	}
	rng := rand.New(rand.NewPCG(seed, 0x686f6c64)) // "hold"
	out := make([]bool, len(labels))
	for _, of := range rows {
		if len(of) < 2 {
			continue
		}
		n := int(math.Round(share * float64(len(of))))
		n = min(max(n, 1), len(of)-1)
		for _, at := range rng.Perm(len(of))[:n] {
			out[of[at]] = true
		}
	}
	for i := range labels {
		if out[i] {
			held = append(held, int32(i))
		} else {
			fit = append(fit, int32(i))
		}
	}
	return fit, held
}

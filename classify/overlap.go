package classify

import (
	"math"

	"moncae/internal/head"
)

// likeness is how near two latents of one image are, after rounding to float16 or
// int8: the mean square of their difference, in standard deviations.
const likeness = 0.02

// shared counts the test rows that the training file holds too: those of equal
// split and id whose latents are alike. Latents of different images may be alike
// too, where there are few values or the encoder is dead: how often is seen by
// comparing with the next id instead, and what chance explains counts as none.
func shared(train, test *latents) int {
	at := map[rowKey]int{}
	both := train.knowsSplits() && test.knowsSplits()
	for i, id := range train.ids {
		at[train.key(i, id, both)] = i
	}
	s := head.StandardOf(train.Features, train.Shape.Values(), 0)
	same, chance := 0, 0
	for i, id := range test.ids {
		if j, ok := at[test.key(i, id, both)]; ok && alike(s, train.row(j), test.row(i)) {
			same++
		}
		if j, ok := at[test.key(i, id+1, both)]; ok && alike(s, train.row(j), test.row(i)) {
			chance++
		}
	}
	expected := float64(chance)
	if test.Shape.Values() < 8 {
		expected++
	}
	if float64(same) <= float64(chance)+3*math.Sqrt(expected) {
		return 0
	}
	return same
}

func (l *latents) knowsSplits() bool { return l.splits != nil || l.origin.Split != "" }

func (l *latents) key(row int, id int64, withSplit bool) rowKey {
	if !withSplit {
		return rowKey{id: id}
	}
	return rowKey{l.split(row), id}
}

func (l *latents) row(i int) []float32 {
	values := l.Shape.Values()
	return l.Features[i*values : (i+1)*values]
}

// alike tells whether a and b are near each other once standardised.
func alike(s head.Standard, a, b []float32) bool {
	sum := 0.0
	for i := range a {
		d := float64(a[i]-b[i]) * float64(s.Scale[i])
		sum += d * d
	}
	return sum <= likeness*float64(len(a))
}

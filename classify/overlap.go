package classify

import (
	"math"

	"moncae/internal/head"
)

// How near two latents of one image are, after rounding to int8, and to floating-point
// numbers: the mean square of their difference, in standard deviations.
const (
	likeness       = 0.02
	floatsLikeness = 1e-5
)

// shared counts the test rows that the training file holds too: those of equal
// split and id whose latents are alike, by the training file's standard deviations s. Latents of different images may be alike
// too, where there are few values or the encoder is dead: how often is seen by
// comparing with the next id instead, and what chance explains counts as none.
func shared(s head.Standard, train, test *latents) int {
	at := map[rowKey]int{}
	both := train.knowsSplits() && test.knowsSplits()
	for i, id := range train.ids {
		at[train.key(i, id, both)] = i
	}
	same, chance := 0, 0
	for i, id := range test.ids {
		if j, ok := at[test.key(i, id, both)]; ok && alike(s, train.row(j), test.row(i), likeness) {
			same++
		}
		if j, ok := at[test.key(i, id+1, both)]; ok && alike(s, train.row(j), test.row(i), likeness) {
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

// tried is of how many rows twins are looked for, at most.
const tried = 256

// twins tells of how many test rows, of those tried, the training file holds the like,
// whatever the ids: where a split is set apart, ids count within it, and another share
// numbers the same images anew. found is 0 unless it is most of them, more by half than among
// the training rows themselves: data may hold an image twice, latents of few values
// are often alike, and those of a dead encoder always.
func twins(s head.Standard, train, test *latents) (found, of int) {
	most := floatsLikeness
	if train.meta.Quant != nil || test.meta.Quant != nil {
		most = likeness
	}
	count := func(l *latents, n int) (found int) {
		for k := range n {
			i := k * l.rows() / n
			for j := range train.rows() {
				if (l != train || i != j) && alike(s, train.row(j), l.row(i), most) {
					found++
					break
				}
			}
		}
		return found
	}
	of = min(tried, test.rows())
	chance := min(tried, train.rows())
	found = count(test, of)
	if share := float64(found) / float64(of); share-float64(count(train, chance))/float64(chance) <= 0.5 {
		return 0, of
	}
	return found, of
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

// alike tells whether the mean square between a and b is `most` at most, once they are
// standardised.
func alike(s head.Standard, a, b []float32, most float64) bool {
	sum := 0.0
	most *= float64(len(a))
	for i := range a {
		d := float64(a[i]-b[i]) * float64(s.Scale[i])
		if sum += d * d; sum > most {
			return false
		}
	}
	return true
}

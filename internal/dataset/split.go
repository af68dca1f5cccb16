package dataset

import (
	"moncae/internal/fault"
)

// Split sets a fraction of a set's rows apart for validation, stratified where
// the set is labelled, and depending on the labels, the fraction and the seed
// only. Both results are sorted row numbers of s; s.ID gives the ids, which differ
// only where images were skipped.
func Split(s *Set, validation float64, seed uint64) (train, apart []int32, err error) {
	if !(validation > 0 && validation < 1) {
		return nil, nil, fault.Usagef("a validation share of %v: it is between 0 and 1", validation)
	}
	rest, held, err := divide(s.rowLabels(), validation, seed)
	if err != nil {
		return nil, nil, fault.Usagef("%s: validation split: %w", s.Name, err)
	}
	return narrow(rest), narrow(held), nil
}

// Own are the rows of s that its source has in the split of that name, and the rest;
// both are sorted, and neither is empty.
func Own(s *Set, split string) (rest, own []int32, err error) {
	for row, name := range s.Splits {
		if name == split {
			own = append(own, int32(row))
		} else {
			rest = append(rest, int32(row))
		}
	}
	if len(own) == 0 || len(rest) == 0 {
		return nil, nil, fault.Usagef("%s: %d of the images that can be read are of the split %s, %d are not; it takes some of both", s.Name, len(own), split, len(rest))
	}
	return rest, own, nil
}

// Sample draws n of the given rows of s, stratified where it is labelled; all of
// them if n is 0 or not smaller. The result is sorted.
func Sample(s *Set, rows []int32, n int, seed uint64) []int32 {
	if n <= 0 || n >= len(rows) {
		return rows
	}
	labels := make([]int32, len(rows))
	for i, r := range rows {
		labels[i] = s.label(int(r))
	}
	out := make([]int32, n)
	for i, k := range sample(labels, n, seed) {
		out[i] = rows[k]
	}
	return out
}

// rowLabels are the labels of all rows, −1 where there are none.
func (s *Set) rowLabels() []int32 {
	if s.Labels != nil {
		return s.Labels
	}
	labels := make([]int32, s.Rows())
	for i := range labels {
		labels[i] = -1
	}
	return labels
}

func narrow(rows []int64) []int32 {
	out := make([]int32, len(rows))
	for i, r := range rows {
		out[i] = int32(r)
	}
	return out
}

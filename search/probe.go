package search

import (
	"slices"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/task"
)

// probeRows are the labelled rows that the probe learns from and is measured on.
func (s *Study) probeRows() (train, validation []int32) {
	labelled := func(rows []int32) []int32 {
		return slices.DeleteFunc(slices.Clone(rows), func(r int32) bool { return s.set.Labels[r] < 0 })
	}
	return dataset.Sample(s.set, labelled(s.limited), task.ProbeImages, s.config.Seed), labelled(s.validation)
}

// checkProbe refuses data that a probe can't be made of.
func (s *Study) checkProbe() error {
	if s.set.Labels == nil || len(s.set.Classes) < 2 {
		return fault.Usagef("%s: objective %q needs labels of 2 classes at least; the data has none", s.set.Name, run.ObjectiveProbe)
	}
	if train, validation := s.probeRows(); len(train) == 0 || len(validation) == 0 {
		return fault.Usagef("%s: objective %q needs labels among training and validation images", s.set.Name, run.ObjectiveProbe)
	}
	return nil
}

// guess is the error of always answering the most frequent class.
func (s *Study) guess() float64 {
	_, validation := s.probeRows()
	counts := make([]int, len(s.set.Classes))
	for _, r := range validation {
		counts[s.set.Labels[r]]++
	}
	return 1 - float64(slices.Max(counts))/float64(len(validation))
}

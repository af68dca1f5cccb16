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

// probeWithin is the probe of a finetuning. Its weights are compared by the hypervolume
// of their point alone, as the search selected: a lower loss makes up for a little more
// error of the probe, and not for much.
func (s *Study) probeWithin() *task.Probe {
	if !s.config.Uses(run.ObjectiveProbe) {
		return nil
	}
	p := s.rows.probe
	p.Within = &task.Within{}
	for i, name := range s.config.Objectives {
		most := s.reference[i]
		for _, b := range s.config.Bounds {
			if b.Objective == name {
				most = min(most, b.Most)
			}
		}
		switch name {
		case run.ObjectiveProbe:
			p.Within.Error = most
		case run.ObjectiveLoss:
			p.Within.Loss = &most
		}
	}
	return &p
}

// quickLook is how many values of a principal component analysis the default
// reference's probe reads.
const quickLook = 16

// quickError is the error that a look at the data without any network has: of the
// probe on quickLook principal components, smoothed by Laplace's rule so that it can
// be beaten, or of always answering the most frequent class, where that is less or
// there are too few images.
func (s *Study) quickError() float64 {
	p := s.rows.probe
	x := s.pcas.pca.Codes(quickLook, p.Train.Numbers)
	if x == nil {
		return s.guess()
	}
	n := float64(len(p.Validation.Numbers))
	wrong := p.Error(s.set, x, s.pcas.pca.Codes(quickLook, p.Validation.Numbers)) * n
	return min(s.guess(), (wrong+1)/(n+2))
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

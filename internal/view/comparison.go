package view

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"moncae/internal/compare"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/moo"
)

// The comparison's format and its newest version.
const (
	ComparisonFormat  = "moncae.compare"
	ComparisonVersion = 1
)

// Comparison is what `moncae compare --json` prints.
type Comparison struct {
	Format     string    `json:"format"`
	Version    int       `json:"version"`
	Data       string    `json:"data"` // "" where trials don't say
	Objectives []string  `json:"objectives"`
	Reference  []float64 `json:"reference"` // null: each run's own
	compare.Result
	Notes []string `json:"notes"`
}

// beforeFinetuning is what every comparison says of its figures.
const beforeFinetuning = "All of it is from before finetuning, which counts in nothing here."

// CompareSources compares searches. They must be of the same data and objectives,
// and, where reference is nil, have references that agree.
func CompareSources(groups []SourceGroup, reference []float64) (Comparison, error) {
	c := Comparison{Format: ComparisonFormat, Version: ComparisonVersion, Reference: reference}
	all := sources(groups)
	var err error
	if c.Objectives, err = objectives(all); err != nil {
		return c, err
	}
	if c.Data, err = oneData(all); err != nil {
		return c, err
	}
	references, err := references(all, c.Objectives, reference)
	if err != nil {
		return c, err
	}
	if !slices.ContainsFunc(references, func(p moo.Point) bool { return !slices.Equal(p, references[0]) }) {
		c.Reference = references[0]
	}
	var entries []compare.Group
	for _, g := range groups {
		entry := compare.Group{Name: g.Name}
		for _, s := range g.Sources {
			one, err := s.search(c.Objectives, references[0])
			if err != nil {
				return c, err
			}
			references = references[1:]
			entry.Searches = append(entry.Searches, one)
		}
		entries = append(entries, entry)
	}
	c.Result = compare.Of(entries)
	c.Notes = c.notes(groups)
	return c, nil
}

func sources(groups []SourceGroup) []Source {
	var all []Source
	for _, g := range groups {
		all = append(all, g.Sources...)
	}
	return all
}

// objectives are those of the runs; without runs, those that a file of trials names,
// or loss and loc.
func objectives(all []Source) ([]string, error) {
	var first *run.Run
	for _, s := range all {
		r := s.run
		switch {
		case r == nil:
		case first == nil:
			first = r
		case !slices.Equal(r.Config.Objectives, first.Config.Objectives):
			return nil, fault.Usagef("%s has the objectives %s, %s has %s: they can't be compared", first.Path, strings.Join(first.Config.Objectives, ", "), r.Path, strings.Join(r.Config.Objectives, ", "))
		case r.Config.Loss != first.Config.Loss:
			return nil, fault.Usagef("the loss of %s is %s, that of %s is %s: they can't be compared", first.Path, first.Config.Loss, r.Path, r.Config.Loss)
		}
	}
	if first != nil {
		return first.Config.Objectives, nil
	}
	for _, s := range all {
		if s.file.Objectives != nil {
			return s.file.Objectives, nil
		}
	}
	return []string{run.ObjectiveLoss, run.ObjectiveLOC}, nil
}

// oneData is the name of the data set that all are of, as far as they say.
func oneData(all []Source) (name string, err error) {
	var first Source
	fingerprint := ""
	for _, s := range all {
		its := s.file.Data
		if s.run != nil {
			its = s.run.Manifest.Data.Fingerprint
			if name == "" {
				name = s.run.Manifest.Data.Name
			}
		}
		switch {
		case its == "":
		case fingerprint == "":
			first, fingerprint = s, its
		case its != fingerprint:
			return "", fault.Usagef("%s and %s are of different data (fingerprints %.16s… and %.16s…): they can't be compared", first.Name, s.Name, fingerprint, its)
		}
	}
	return name, nil
}

// references are the sources' reference points: the given one, or their own. Default
// references follow from the seed's split; all others must be the same.
func references(all []Source, objectives []string, given []float64) ([]moo.Point, error) {
	points := make([]moo.Point, len(all))
	if given != nil {
		if len(given) != len(objectives) {
			return nil, fault.Usagef("--reference has %d numbers for the objectives %s", len(given), strings.Join(objectives, ", "))
		}
		for i := range points {
			points[i] = given
		}
		return points, nil
	}
	for i, s := range all {
		points[i] = s.reference(objectives)
	}
	for i, s := range all {
		for j, other := range all[:i] {
			if points[i] == nil || points[j] == nil || slices.Equal(points[i], points[j]) || bySplit(s, other) {
				continue
			}
			return nil, fault.Usagef("the reference points of %s (%s) and %s (%s) differ: give one for all by --reference", other.Name, Reference(objectives, points[j]), s.Name, Reference(objectives, points[i]))
		}
	}
	for i, s := range all {
		if points[i] != nil {
			continue
		}
		var err error
		if points[i], err = borrowed(s, all, points); err != nil {
			return nil, err
		}
	}
	return points, nil
}

// bySplit tells whether two references may differ: each run's own default, of
// another split of the same share.
func bySplit(a, b Source) bool {
	own := func(s Source) bool { return s.run == nil || len(s.run.Config.Reference) == 0 }
	x, y := a.split(), b.split()
	return own(a) && own(b) && x != nil && y != nil && *x != *y && (a.run == nil || b.run == nil || a.run.Config.Validation == b.run.Config.Validation)
}

// borrowed is the reference for a source that has none: that of those of its seed,
// or the only one that there is.
func borrowed(s Source, all []Source, points []moo.Point) (moo.Point, error) {
	var found []moo.Point
	for i, other := range all {
		if points[i] == nil || slices.ContainsFunc(found, func(p moo.Point) bool { return slices.Equal(p, points[i]) }) {
			continue
		}
		if seed, its := s.seed(), other.seed(); seed != nil && its != nil && *seed == *its {
			return points[i], nil
		}
		found = append(found, points[i])
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return nil, fault.Usagef("%s has no reference point of its own, and the others have %d: give one by --reference, or the file's seed in its first line", s.Name, len(found))
}

// notes are what a reader must know beside the figures.
func (c Comparison) notes(groups []SourceGroup) []string {
	notes := []string{beforeFinetuning}
	if c.Reference == nil {
		notes = append(notes, "Each run's reference is its own: that of its validation split.")
	}
	all := sources(groups)
	for _, s := range all {
		if s.run != nil && len(s.run.Generations) < s.run.Config.Generations {
			notes = append(notes, fmt.Sprintf("%s isn't finished: %d of %d generations.", s.Name, len(s.run.Generations), s.run.Config.Generations))
		}
	}
	if batches := values(all, func(r *run.Run) string { return fmt.Sprint(r.Config.Batch) }); len(batches) > 1 {
		notes = append(notes, fmt.Sprintf("Batches differ (%s): a step isn't the same work everywhere.", strings.Join(batches, ", ")))
	}
	if limits := values(all, func(r *run.Run) string { return fmt.Sprint(r.Config.Bounds) }); len(limits) > 1 {
		notes = append(notes, "Bounds differ: what breaks a run's own bounds counts nothing in it.")
	}
	if len(groups) > 1 && slices.ContainsFunc(groups, func(g SourceGroup) bool { return !sameSplits(g, groups[0]) }) {
		notes = append(notes, "The groups saw different splits of the data, drawn by different seeds.")
	}
	if c.Data != "" && slices.Contains(c.Objectives, run.ObjectiveLoss) {
		notes = append(notes, "Losses are of validation images, on which the searches selected.")
	}
	return notes
}

// values are the different values of the runs.
func values(all []Source, of func(*run.Run) string) []string {
	var found []string
	for _, s := range all {
		if s.run != nil && !slices.Contains(found, of(s.run)) {
			found = append(found, of(s.run))
		}
	}
	return found
}

// sameSplits tells whether two groups saw the same splits, as far as is known.
func sameSplits(a, b SourceGroup) bool {
	splits := func(g SourceGroup) (all []uint64) {
		for _, s := range g.Sources {
			if seed := s.split(); seed != nil {
				all = append(all, *seed)
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	x, y := splits(a), splits(b)
	return len(x) == 0 || len(y) == 0 || slices.Equal(x, y)
}

// ReferenceText says what the hypervolumes are to: numbers, or their ranges over runs.
func (c Comparison) ReferenceText() string {
	parts := make([]string, len(c.Objectives))
	for i, name := range c.Objectives {
		low, high := math.Inf(1), math.Inf(-1)
		for _, g := range c.Groups {
			for _, r := range g.Runs {
				low, high = min(low, r.Reference[i]), max(high, r.Reference[i])
			}
		}
		parts[i] = fmt.Sprintf("%s %.4g", name, low)
		if high != low {
			parts[i] += fmt.Sprintf("–%.4g", high)
		}
	}
	return strings.Join(parts, ", ")
}

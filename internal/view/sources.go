package view

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/compare"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/trialfile"
	"moncae/search/moo"
)

// Source is a search to be compared: a run, or another optimiser's trials.
type Source struct {
	Name string
	run  *run.Run // nil: trials
	file trialfile.File
}

// OpenSource reads a run's folder, or a file of trials.
func OpenSource(path string) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Source{}, fault.Usagef("%s: there is no such run, and no such file of trials", path)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Source{}, err
	}
	if info.IsDir() {
		r, err := run.Open(path)
		return Source{Name: filepath.Base(absolute), run: r}, err
	}
	f, err := trialfile.Read(path)
	return Source{Name: strings.TrimSuffix(filepath.Base(absolute), filepath.Ext(absolute)), file: f}, err
}

// SourceGroup is searches of one kind.
type SourceGroup struct {
	Name    string
	Sources []Source
}

// GroupSources groups runs that differ in nothing but the seed, in the order of the
// first of each; files of trials stay alone. A group has the name that its runs'
// names begin with.
func GroupSources(sources []Source) []SourceGroup {
	var groups []SourceGroup
	at := map[string]int{}
	for _, s := range sources {
		if s.run != nil {
			kind := s.kind()
			if i, ok := at[kind]; ok {
				groups[i].Sources = append(groups[i].Sources, s)
				continue
			}
			at[kind] = len(groups)
		}
		groups = append(groups, SourceGroup{Sources: []Source{s}})
	}
	taken := map[string]bool{}
	for i := range groups {
		g := &groups[i]
		first := g.Sources[0].Name
		g.Name = first
		if len(g.Sources) > 1 {
			g.Name = strings.TrimRight(begin(g.Sources), "0123456789-_. ")
		}
		if g.Name == "" || taken[g.Name] {
			g.Name = first
		}
		for n := 2; taken[g.Name]; n++ {
			g.Name = fmt.Sprintf("%s (%d)", first, n)
		}
		taken[g.Name] = true
	}
	return groups
}

// kind tells runs apart that differ in more than the seed.
func (s Source) kind() string {
	c, m := s.run.Config, s.run.Manifest
	c.Seed = 0
	content, err := json.Marshal([]any{c, m.Data.Fingerprint, m.Moncae})
	if err != nil {
		panic(err) // a configuration: it was read from JSON
	}
	return string(content)
}

// begin is what all names begin with.
func begin(sources []Source) string {
	prefix := sources[0].Name
	for _, s := range sources {
		for !strings.HasPrefix(s.Name, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return strings.ToValidUTF8(prefix, "")
}

func (s Source) seed() *uint64 {
	if s.run != nil {
		return &s.run.Manifest.Seed
	}
	return s.file.Seed
}

// split is the seed of the validation split; nil: not known.
func (s Source) split() *uint64 {
	if s.run != nil {
		return new(s.run.Config.SplitSeed())
	}
	return cmp.Or(s.file.ValidationSeed, s.file.Seed)
}

// reference is the source's own reference point, in the order of objectives; nil for none.
func (s Source) reference(objectives []string) moo.Point {
	if s.run != nil {
		return s.run.Manifest.Reference
	}
	if s.file.Reference == nil {
		return nil
	}
	p := make(moo.Point, len(objectives))
	for i, name := range objectives {
		at := slices.Index(s.file.Objectives, name)
		if at < 0 {
			return nil
		}
		p[i] = s.file.Reference[at]
	}
	return p
}

// search is what the comparison takes of the source.
func (s Source) search(objectives []string, reference moo.Point) (compare.Search, error) {
	out := compare.Search{Name: s.Name, Seed: s.seed(), Reference: reference}
	if s.run != nil {
		for _, t := range s.run.Trainings() {
			trial := compare.Trial{Steps: t.Steps, Seconds: t.Seconds}
			if t.Values != nil {
				trial.Point = s.run.Config.Point(t.Values)
			}
			out.Trials = append(out.Trials, trial)
		}
		if len(out.Trials) == 0 {
			return out, fault.Usagef("%s: no training is over yet", s.run.Path)
		}
		return out, nil
	}
	for _, t := range s.file.Trials {
		trial := compare.Trial{Steps: t.Steps, Seconds: t.Seconds}
		if t.Objectives != nil {
			trial.Point = make(moo.Point, len(objectives))
		}
		for i := range trial.Point {
			v, ok := t.Objectives[objectives[i]]
			if !ok {
				return out, fault.Usagef("%s: trial %d has no objective %s: it needs %s", s.Name, t.Number, objectives[i], strings.Join(objectives, ", "))
			}
			trial.Point[i] = v
		}
		out.Trials = append(out.Trials, trial)
	}
	return out, nil
}

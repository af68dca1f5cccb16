// Package trialfile reads what other optimisers tried: a JSON line a trial, as
// docs/format/trials.md describes. What it refuses, it refuses by line.
//
// Costs: the file's size in work, and in memory its trials.
package trialfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"moncae/internal/fault"
	"moncae/internal/regular"
)

// The format's name and its newest version.
const (
	Format  = "moncae.trials"
	Version = 1
)

// File is a file of trials.
type File struct {
	Header
	Trials []Trial // by rising number
}

// Header is the first line, where it is one: what the trials have in common. All of
// it may be missing.
type Header struct {
	Objectives []string  `json:"objectives"`
	Reference  []float64 `json:"reference"` // one number an objective
	Seed       *uint64   `json:"seed"`
	Data       string    `json:"data"` // fingerprint of the data set
	// ValidationSeed drew the validation split; nil: Seed did.
	ValidationSeed *uint64 `json:"validation_seed"`
}

// Trial is a line.
type Trial struct {
	Number     int                `json:"trial"`
	Steps      int                `json:"steps"`
	Seconds    float64            `json:"seconds"`
	Objectives map[string]float64 `json:"objectives"` // nil: it failed
}

// most is the longest line that is read.
const most = 1 << 20

// Read reads the file at path.
func Read(path string) (f File, err error) {
	r, err := regular.Open(path)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	f, err = decode(r)
	if err != nil {
		return f, fault.Usagef("%s: %w", path, err)
	}
	return f, nil
}

func decode(r io.Reader) (f File, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, most)
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := f.line(line); err != nil {
			return f, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return f, err
	}
	if len(f.Trials) == 0 {
		return f, errors.New(`there is no trial in it: a line reads {"trial":0,"steps":420,"seconds":3.1,"objectives":{"loss":0.1,"loc":1.7}}`)
	}
	slices.SortStableFunc(f.Trials, func(a, b Trial) int { return a.Number - b.Number })
	for i := 1; i < len(f.Trials); i++ {
		if n := f.Trials[i].Number; n == f.Trials[i-1].Number {
			return f, fmt.Errorf("trial %d is there twice", n)
		}
	}
	return f, nil
}

func (f *File) line(line []byte) error {
	var kind struct {
		Format *string `json:"format"`
	}
	if err := json.Unmarshal(line, &kind); err != nil {
		return notJSON(err)
	}
	if kind.Format != nil {
		return f.header(line)
	}
	return f.trial(line)
}

func (f *File) header(line []byte) error {
	h := struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
		*Header
	}{Header: &f.Header}
	switch err := json.Unmarshal(line, &h); {
	case err != nil:
		return notJSON(err)
	case len(f.Trials) > 0:
		return errors.New("the line with format comes first, and once")
	case h.Format != Format || h.Version < 1 || h.Version > Version:
		return fmt.Errorf("format %q, version %d; this moncae knows %q, versions 1 to %d", h.Format, h.Version, Format, Version)
	case f.Reference != nil && len(f.Reference) != len(f.Header.Objectives):
		return fmt.Errorf("%d objectives, and a reference of %d numbers", len(f.Header.Objectives), len(f.Reference))
	}
	return nil
}

func (f *File) trial(line []byte) error {
	var t struct {
		Number     *int                `json:"trial"`
		Status     string              `json:"status"`
		Steps      *int                `json:"steps"`
		Seconds    *float64            `json:"seconds"`
		Objectives map[string]*float64 `json:"objectives"`
	}
	if err := json.Unmarshal(line, &t); err != nil {
		return notJSON(err)
	}
	switch {
	case t.Number == nil || *t.Number < 0:
		return errors.New("trial is missing or negative: its number, from 0")
	case t.Steps == nil || *t.Steps < 0:
		return errors.New("steps is missing or negative: the training steps that the trial made")
	case t.Seconds == nil || *t.Seconds < 0:
		return errors.New("seconds is missing or negative: since the search began, until the trial was over")
	}
	trial := Trial{Number: *t.Number, Steps: *t.Steps, Seconds: *t.Seconds}
	if t.Status != "" && t.Status != "ok" {
		f.Trials = append(f.Trials, trial)
		return nil
	}
	if t.Objectives != nil {
		trial.Objectives = map[string]float64{}
	}
	for name, v := range t.Objectives {
		if v == nil {
			return fmt.Errorf("objective %q is null: where a trial failed, objectives is null as a whole", name)
		}
		trial.Objectives[name] = *v
	}
	f.Trials = append(f.Trials, trial)
	return nil
}

func notJSON(err error) error {
	what := "not JSON"
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		what = strings.TrimSpace(fmt.Sprintf("%s is a JSON %s", wrong.Field, wrong.Value))
	}
	return fmt.Errorf("%s; a line is a JSON object, and objectives is null where a trial failed (JSON has no NaN)", what)
}

package run

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// Recorded completes what a data set is read by with what the run in the folder
// path wrote down of its own: the splits that it trains and validates on, the preprocessing, the
// columns of tables, the share that is set apart for tests, and where name is "", the name or the path.
func Recorded(path, name string, o dataset.Options) (string, dataset.Options, error) {
	dir, err := rundir.Read(path)
	if err != nil {
		return name, o, err
	}
	return recorded(dir, name, o)
}

func recorded(dir *rundir.Dir, name string, o dataset.Options) (string, dataset.Options, error) {
	c, err := ConfigOf(dir)
	if err != nil {
		return name, o, err
	}
	o.Split = c.Split()
	var p dataset.Preprocess
	if err := json.Unmarshal(dir.Manifest.Preprocess, &p); err != nil {
		return name, o, fault.Damagedf("%s: run.json: field preprocess: %w", dir.Path, err)
	}
	d := dir.Manifest.Data
	if name == "" {
		if name = dir.DataName(); gone(name) {
			return name, o, fault.Usagef("the images of the run %s lay at %s, and don't from here: say where they are with --data", dir.Path, name)
		}
	}
	if d.TestFraction > 0 {
		o.TestFraction = d.TestFraction
	}
	if d.Columns != nil && o.Columns == (source.Columns{}) {
		if err := json.Unmarshal(d.Columns, &o.Columns); err != nil {
			return name, o, fault.Damagedf("%s: run.json: field data.columns: %w", dir.Path, err)
		}
	}
	return name, p.Apply(o), nil
}

// gone tells whether a data set has neither a known name nor a place that is there.
func gone(name string) bool {
	_, known := dataset.Lookup(name)
	_, err := os.Lstat(name)
	return !known && errors.Is(err, fs.ErrNotExist)
}

// DataName is where the run's data set is, as --data takes it.
func (r *Run) DataName() string { return r.dir.DataName() }

// Recorded is the function of the same name for this run.
func (r *Run) Recorded(name string, o dataset.Options) (string, dataset.Options, error) {
	return recorded(r.dir, name, o)
}

// Images reads the training images of the run, from where they were or from name.
// Others than the run began with are refused.
func (r *Run) Images(ctx context.Context, name string, o dataset.Options) (*dataset.Set, error) {
	name, o, err := r.Recorded(name, o)
	if err != nil {
		return nil, err
	}
	set, err := dataset.Load(ctx, name, o)
	if err != nil {
		return nil, err
	}
	if got, want := dataset.Fingerprint(set), r.Manifest.Data.Fingerprint; got != want {
		return nil, fault.Usagef("%s has the fingerprint %.16s…, the run %s began with %.16s…: name the same data with --data", name, got, r.Path, want)
	}
	return set, nil
}

// Opening is a use of a run's test data.
type Opening struct {
	By     string          // the command
	Data   string          // where they are; "" is where the run found them
	Images dataset.Options // how they are found
	FS     durable.FS
}

// Test notes in the run that its test data are opened, and reads them. openings
// counts those so far, this one included.
func (r *Run) Test(ctx context.Context, o Opening) (set *dataset.Set, openings int, err error) {
	name, images, err := r.Recorded(o.Data, o.Images)
	if err != nil {
		return nil, 0, err
	}
	if openings, err = rundir.NoteTest(r.Path, o.By, o.FS); err != nil {
		return nil, 0, err
	}
	images.Split = "test"
	set, err = dataset.Load(ctx, name, images)
	return set, openings, err
}

// Validation are the rows of the run's images that it validated on.
func (r *Run) Validation(set *dataset.Set) []int32 {
	wanted := make(map[int64]bool, len(r.Manifest.ValidationIDs))
	for _, id := range r.Manifest.ValidationIDs {
		wanted[id] = true
	}
	var rows []int32
	for i := range set.Rows() {
		if wanted[set.ID(i)] && (r.Config.ValidationSplit == "" || set.Split(i) == r.Config.ValidationSplit) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/pflag"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// recordedData completes d by what a run wrote down of its data: where they lay,
// unless --data says otherwise, and how the images were prepared.
func recordedData(path string, f *pflag.FlagSet, d *dataFlags) error {
	dir, err := rundir.Read(path)
	if err != nil {
		return err
	}
	m := dir.Manifest
	for _, name := range []string{"image-size", "resize", "channels", "background", "range", "test-fraction"} {
		if flag := f.Lookup(name); flag != nil && flag.Changed {
			return fault.Usagef("--%s can't be given for a run: it keeps the preprocessing that it began with (see %s/run.json)", name, path)
		}
	}
	var p dataset.Preprocess
	if err := json.Unmarshal(m.Preprocess, &p); err != nil {
		return fault.Damagedf("%s: run.json: field preprocess: %w", path, err)
	}
	d.options = p.Apply(d.options)
	if !f.Changed("data") {
		if d.name = m.Data.Source; d.name == "" {
			d.name = m.Data.Name
		}
	}
	return nil
}

// loadRunData reads the training images of a run, which must be those that it
// began with.
func loadRunData(ctx context.Context, path string, m rundir.Manifest, f *pflag.FlagSet, d *dataFlags) (*dataset.Set, error) {
	if err := recordedData(path, f, d); err != nil {
		return nil, err
	}
	set, err := dataset.Load(ctx, d.name, d.options)
	if err != nil {
		return nil, err
	}
	if got := dataset.Fingerprint(set); got != m.Data.Fingerprint {
		return nil, fault.Usagef("%s has the fingerprint %.16s…, the run %s began with %.16s…: name the same data with --data", d.name, got, path, m.Data.Fingerprint)
	}
	return set, nil
}

// validationRows are the rows of set that the run validated on.
func validationRows(m rundir.Manifest, set *dataset.Set) []int32 {
	wanted := make(map[int64]bool, len(m.ValidationIDs))
	for _, id := range m.ValidationIDs {
		wanted[id] = true
	}
	var rows []int32
	for r := range set.Rows() {
		if wanted[set.ID(r)] {
			rows = append(rows, int32(r))
		}
	}
	return rows
}

package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"moncae/internal/report"
	"moncae/internal/run"
)

// Compare is a page of several runs: their fronts, their hypervolumes, and what
// they were asked differently.
func Compare(names []string, runs []*run.Run) report.Comparison {
	c := report.Comparison{Title: fmt.Sprintf("%d runs", len(runs)), Loss: string(runs[0].Config.Loss)}
	sums := report.Table{Title: "What they came to", Head: []string{"run", "data", "seed", "trainings", "front", "hypervolume", "reference", "seconds"}}
	for i, r := range runs {
		one := report.Compared{Name: names[i], Members: []report.ComparedMember{}, Progress: []report.Progress{}}
		row := []string{names[i], r.Manifest.Data.Name, fmt.Sprint(r.Manifest.Seed), "0", "0", "–", Reference(r.Manifest.Objectives, r.Manifest.Reference), Fixed(r.Seconds, 0)}
		if f := r.Front; f != nil {
			one.Floor, one.Progress = f.Floor.BCE, hypervolumes(r, *f)
			for _, m := range f.Members {
				one.Members = append(one.Members, report.ComparedMember{ID: m.ID, Values: m.Values, Figures: report.Figures{BCE: m.BCE, MSE: m.MSE, PSNR: m.PSNR, SSIM: m.SSIM}})
			}
			row[3], row[4], row[5] = fmt.Sprint(f.Evaluations), fmt.Sprint(len(f.Members)), Fixed(f.Hypervolume, 4)
		}
		sums.Rows, c.Runs = append(sums.Rows, row), append(c.Runs, one)
	}
	if !same(runs, func(r *run.Run) any { return r.Manifest.Reference }) || !same(runs, func(r *run.Run) any { return r.Manifest.Objectives }) {
		sums.Notes = append(sums.Notes, "Their objectives or reference points differ: their hypervolumes can't be compared.")
	}
	if !same(runs, func(r *run.Run) any { return r.Manifest.Data.Fingerprint }) {
		sums.Notes = append(sums.Notes, "Their data differ: their figures can't be compared.")
	}
	c.Tables = []report.Table{sums, differences(names, runs)}
	return c
}

func same(runs []*run.Run, of func(*run.Run) any) bool {
	first := fmt.Sprint(of(runs[0]))
	return !slices.ContainsFunc(runs, func(r *run.Run) bool { return fmt.Sprint(of(r)) != first })
}

// differences are the settings that are not the same in all runs.
func differences(names []string, runs []*run.Run) report.Table {
	t := report.Table{Title: "What they were asked differently", Head: append([]string{"setting"}, names...)}
	settings := make([]map[string]string, len(runs))
	keys := map[string]bool{}
	for i, r := range runs {
		settings[i] = flat("", r.Config)
		settings[i]["moncae"] = r.Manifest.Moncae
		for k := range settings[i] {
			keys[k] = true
		}
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		row, differ := []string{k}, false
		for i := range runs {
			v, ok := settings[i][k]
			if !ok {
				v = "–"
			}
			row = append(row, v)
			differ = differ || v != row[1]
		}
		if differ {
			t.Rows = append(t.Rows, row)
		}
	}
	if len(t.Rows) == 0 {
		t.Notes = []string{"Nothing: all settings are the same."}
	}
	return t
}

// flat is a value's JSON with a key a number or word, nested ones joined by dots.
func flat(prefix string, v any) map[string]string {
	content, err := json.Marshal(v)
	if err != nil {
		panic(err) // a configuration: it was read from JSON
	}
	out := map[string]string{}
	var fields map[string]json.RawMessage
	if json.Unmarshal(content, &fields) != nil || fields == nil {
		out[prefix] = string(content)
		return out
	}
	for k, raw := range fields {
		name := k
		if prefix != "" {
			name = prefix + "." + k
		}
		for k, v := range flat(name, raw) {
			out[k] = v
		}
	}
	return out
}

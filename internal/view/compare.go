package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"moncae/internal/report"
	"moncae/internal/run"
)

// Compare is a page of several runs: their fronts, what `moncae compare` finds of
// them, and what they were asked differently.
func Compare(names []string, runs []*run.Run) report.Comparison {
	c := report.Comparison{Title: fmt.Sprintf("%d runs", len(runs)), Loss: string(runs[0].Config.Loss), Attained: report.Attained{Groups: []report.AttainedGroup{}}}
	sums := report.Table{Title: "What they came to", Head: []string{"run", "data", "seed", "trainings", "front", "hypervolume, finetuned", "reference", "seconds"}}
	var all []Source
	for i, r := range runs {
		s := Source{Name: names[i], run: r}
		all = append(all, s)
		one := report.Compared{Name: names[i], Members: []report.ComparedMember{}}
		if search, err := s.search(r.Config.Objectives, r.Manifest.Reference); err == nil { // else it has no training yet
			one.Curves = search.Curves()
		}
		row := []string{names[i], r.Manifest.Data.Name, fmt.Sprint(r.Manifest.Seed), "0", "0", "–", Reference(r.Manifest.Objectives, r.Manifest.Reference), Fixed(r.Seconds, 0)}
		if f := r.Front; f != nil {
			one.Floor = f.Floor.BCE
			for _, m := range f.Members {
				one.Members = append(one.Members, report.ComparedMember{ID: m.ID, Values: m.Values, Figures: report.Figures{BCE: m.BCE, MSE: m.MSE, PSNR: m.PSNR, SSIM: m.SSIM}})
			}
			row[3], row[4], row[5] = fmt.Sprint(f.Evaluations), fmt.Sprint(len(f.Members)), Fixed(f.Hypervolume, 4)
		}
		sums.Rows, c.Runs = append(sums.Rows, row), append(c.Runs, one)
	}
	c.Tables = []report.Table{sums}
	if held, err := CompareSources(GroupSources(all), nil); err != nil {
		c.Tables[0].Notes = []string{"No hypervolumes are compared: " + err.Error() + "."}
	} else {
		for _, t := range ComparisonTables(held) {
			c.Tables = append(c.Tables, t.Table)
		}
		c.Tables[1].Notes = append(c.Tables[1].Notes, held.Notes...)
		c.Attained = attainedGroups(held)
	}
	c.Tables = append(c.Tables, differences(names, runs))
	return c
}

func attainedGroups(c Comparison) report.Attained {
	a := report.Attained{Groups: []report.AttainedGroup{}}
	if len(c.Objectives) != 2 {
		return a
	}
	a.First, a.Second = c.Objectives[0], c.Objectives[1]
	for _, g := range c.Groups {
		if points := g.Median().Points; len(points) > 0 {
			a.Groups = append(a.Groups, report.AttainedGroup{Name: g.Name, Runs: len(g.Runs), Points: points})
		}
	}
	return a
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

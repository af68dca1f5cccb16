package cli

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/view"
)

// fronts shows the fronts of several runs together.
func (a *app) fronts(paths []string, o *frontOptions) error {
	if o.gallery != "" {
		return fault.Usagef("--gallery is of one run: name one")
	}
	if err := a.vacant(o.plot); err != nil {
		return err
	}
	var runs []*run.Run
	var fronts []run.Front
	for _, path := range paths {
		r, front, err := openFront(path, o.bounds)
		if err != nil {
			return err
		}
		runs, fronts = append(runs, r), append(fronts, front)
	}
	all, err := view.NameFronts(runs, fronts)
	if err != nil {
		return err
	}
	if o.plot != "" {
		if err := a.draw(o.plot, view.FrontsFigure(all)); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		all := make([]timed, len(fronts))
		for i, f := range fronts {
			all[i] = measureLatency(paths[i], f, "").beside(f)
		}
		return a.printJSON(all)
	case o.csv:
		return a.printFrontsCSV(all)
	}
	for _, r := range runs {
		a.unfinished(r)
	}
	return a.printFronts(all)
}

// printFronts prints all members by rising number of values.
func (a *app) printFronts(fronts []view.NamedFront) error {
	type row struct {
		of view.NamedFront
		run.Member
	}
	var rows []row
	for _, f := range fronts {
		for _, m := range f.Members {
			rows = append(rows, row{f, m})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.Values, b.Values), cmp.Compare(a.BCE, b.BCE)) })
	t := table{head: []string{"run"}, left: 3, dispensable: []int{0}}
	for _, r := range rows {
		t.add(r.of.Name)
	}
	for _, c := range view.Columns {
		if c.Head == "ratio" {
			c.Dispensable = 1 // a run's name takes its place
		}
		t.head, t.dispensable = append(t.head, c.Head), append(t.dispensable, c.Dispensable)
		for i, r := range rows {
			t.rows[i] = append(t.rows[i], c.Cell(r.Member, r.of.Front))
		}
	}
	t.fit(a.Columns)
	if err := t.print(a.Out); err != nil {
		return err
	}
	var lines, verdicts []string
	for _, f := range fronts {
		lines = append(lines, fmt.Sprintf("%s: %s; hypervolume %.4f; seed %d", f.Name, view.Count(f.Front), f.Hypervolume, f.Seed))
		verdicts = append(verdicts, f.Name+": "+view.VerdictLine(f.Front))
	}
	_, err := fmt.Fprintf(a.Out, "%s\nMeasured on validation images, on which the members were selected; each seed has a split of its own.\n\n%s\n",
		strings.Join(lines, "\n"), strings.Join(verdicts, "\n"))
	return err
}

func (a *app) printFrontsCSV(fronts []view.NamedFront) error {
	rows := [][]string{append([]string{"run"}, csvHead...)}
	for _, f := range fronts {
		for _, m := range f.Members {
			rows = append(rows, append([]string{f.Name}, csvRow(m)...))
		}
	}
	return csv.NewWriter(a.Out).WriteAll(rows)
}

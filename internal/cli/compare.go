package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"moncae/internal/fault"
	"moncae/internal/view"
)

type compareOptions struct {
	groups         []string
	reference, svg string
	json           bool
}

func (a *app) newCompare() *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare [RUN…] [--group NAME=RUN,…]",
		Short: "Compare searches: hypervolume over trainings, steps and time, with tests over seeds",
		Long: `Compare searches: the hypervolume that each reaches at equal trainings, equal training
steps and equal time, how soon one reaches another's end, what sizes attain what loss,
the two-sided Mann-Whitney test over runs, with A, the chance that the left group's
hypervolume is the larger one, and Wilcoxon's test over pairs of runs with one seed.

RUN is a run's folder, or a file of another optimiser's trials, a JSON line each:
{"trial", "steps", "seconds", "objectives"}. Runs that differ in nothing but the seed are
a group; --group says otherwise, and takes patterns ('runs/random-*').

Every training that began counts, failed ones too. Finetuning doesn't: all is as it was
before. Budgets are equal where no search spent less.`,
		Example: `  moncae compare ehvi-46 ehvi-29 ehvi-12 random-46 random-29 random-12 --svg compare.svg
  moncae compare --group 'ours=runs/ehvi-*' --group 'tpe=trials/tpe-*.jsonl' --json`,
		RunE: func(_ *cobra.Command, args []string) error { return a.compare(args, &o) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.groups, "group", nil, "searches of one kind, as `NAME=RUN,…`; can be repeated")
	f.StringVar(&o.reference, "reference", "", "reference point of all, a number an objective, for example 0.26,2.9 (default the runs' own)")
	f.StringVar(&o.svg, "svg", "", "draw the curves to this `file`")
	a.addOverwrite(f)
	addJSON(cmd, &o.json)
	return cmd
}

func (a *app) compare(args []string, o *compareOptions) error {
	if err := a.vacant(o.svg); err != nil {
		return err
	}
	groups, err := compareGroups(args, o.groups)
	if err != nil {
		return err
	}
	var reference []float64
	if o.reference != "" {
		if reference, err = parseReference(o.reference); err != nil {
			return err
		}
	}
	c, err := view.CompareSources(groups, reference)
	if err != nil {
		return err
	}
	if o.svg != "" {
		if err := a.drawAs(o.svg, "svg", view.CompareFigure(c)); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(c)
	}
	return a.printComparison(c)
}

// compareGroups are the searches that are named, grouped.
func compareGroups(paths, words []string) ([]view.SourceGroup, error) {
	var loose []view.Source
	for _, path := range paths {
		s, err := view.OpenSource(path)
		if err != nil {
			return nil, err
		}
		loose = append(loose, s)
	}
	groups := view.GroupSources(loose)
	for _, word := range words {
		g, err := namedGroup(word)
		if err != nil {
			return nil, err
		}
		for _, other := range groups {
			if other.Name == g.Name {
				return nil, fault.Usagef("--group %s: there are two groups of the name %s", word, g.Name)
			}
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return nil, fault.Usagef("no runs: name their folders, for example `moncae compare ehvi-46 random-46`")
	}
	return groups, nil
}

func namedGroup(word string) (g view.SourceGroup, err error) {
	name, list, ok := strings.Cut(word, "=")
	if !ok || name == "" || list == "" {
		return g, fault.Usagef("--group %s: it reads NAME=RUN,…, for example --group random=random-46,random-29", word)
	}
	g.Name = name
	for _, pattern := range strings.Split(list, ",") {
		paths, err := matching(pattern)
		if err != nil {
			return g, fault.Usagef("--group %s: %w", word, err)
		}
		for _, path := range paths {
			s, err := view.OpenSource(path)
			if err != nil {
				return g, err
			}
			g.Sources = append(g.Sources, s)
		}
	}
	return g, nil
}

// matching are the paths that a pattern stands for; a path that exists is itself.
func matching(pattern string) ([]string, error) {
	if _, err := os.Stat(pattern); err == nil {
		return []string{pattern}, nil
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%q is no pattern: %w", pattern, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there is no %s", pattern)
	}
	return paths, nil
}

func (a *app) printComparison(c view.Comparison) error {
	for i, t := range view.ComparisonTables(c) {
		if i > 0 {
			fmt.Fprintln(a.Out)
		}
		fmt.Fprintln(a.Out, t.Title)
		printed := table{head: t.Head, rows: t.Rows, left: t.Left, dispensable: t.Dispensable}
		printed.fit(a.Columns)
		if err := printed.print(a.Out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.Out, "\n%s\n", strings.Join(c.Notes, "\n"))
	return err
}

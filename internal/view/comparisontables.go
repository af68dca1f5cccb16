package view

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"moncae/internal/compare"
	"moncae/internal/report"
	"moncae/internal/run"
)

// TextTable is a table for the page and for the terminal, where the first Left
// columns are flush left, and those of the largest Dispensable go first.
type TextTable struct {
	report.Table
	Left        int
	Dispensable []int
}

// ComparisonTables are a comparison's, narrow enough for 80 columns where names are
// short. Those that need two groups are missing for one.
func ComparisonTables(c Comparison) []TextTable {
	tables := []TextTable{volumes(c), spent(c)}
	if len(c.Pairs) > 0 {
		tables = append(tables, pairs(c))
		if t := paired(c); len(t.Rows) > 0 {
			tables = append(tables, t)
		}
		tables = append(tables, reaches(c))
	}
	if t := attainments(c); len(t.Rows) > 0 {
		tables = append(tables, t)
	}
	return tables
}

func newTextTable(title string, left int, head ...string) TextTable {
	return TextTable{report.Table{Title: title, Head: head}, left, make([]int, len(head))}
}

func volumes(c Comparison) TextTable {
	title := "Hypervolume to " + c.ReferenceText() + ": medians, before finetuning"
	b := c.Budgets
	t := newTextTable(title, 1, "group", "runs", spentText(compare.Trainings, b.Trainings)+" trainings", spentText(compare.Steps, b.Steps)+" steps", spentText(compare.Seconds, b.Seconds)+" s", "at the end", "mean there")
	t.Dispensable[6] = 1
	for _, g := range c.Groups {
		row := []string{g.Name, strconv.Itoa(len(g.Runs))}
		for _, axis := range compare.Axes {
			row = append(row, Fixed(g.AtBudget.On(axis).Median, 4))
		}
		t.Rows = append(t.Rows, append(row, Fixed(g.Final.Median, 4), Fixed(g.Final.Mean, 4)))
	}
	t.Notes = []string{"Equal budgets: the least trainings, steps and seconds that one of the searches spent."}
	return t
}

func spent(c Comparison) TextTable {
	t := newTextTable("Spent in all: medians over runs", 1, "group", "trainings", "of these failed", "steps", "seconds")
	for _, g := range c.Groups {
		failed := 0
		for _, r := range g.Runs {
			failed += r.Failed
		}
		row := []string{g.Name, spentText(compare.Trainings, g.Spent.Trainings), Fixed(float64(failed)/float64(len(g.Runs)), 1)}
		t.Rows = append(t.Rows, append(row, spentText(compare.Steps, g.Spent.Steps), spentText(compare.Seconds, g.Spent.Seconds)))
	}
	t.Notes = []string{"Every training that began counts; of these failed: a mean."}
	return t
}

func pairs(c Comparison) TextTable {
	t := newTextTable("Two-sided Mann–Whitney test over runs, at equal trainings, steps and time", 2, "left", "right", "p, trainings", "A", "p, steps", "A", "p, time", "A")
	for _, p := range c.Pairs {
		row := []string{p.A, p.B}
		for _, axis := range compare.Axes {
			test := p.Test.On(axis)
			row = append(row, probability(test.P), Fixed(test.Effect, 2))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{
		"A: the chance that a run of the left group has the larger hypervolume; 0.5 is no difference. Of trainings and steps, the worse counts.",
		"No p is corrected for the number of tests.",
	}
	return t
}

// paired compares runs of one seed, where groups share two and more.
func paired(c Comparison) TextTable {
	t := newTextTable("Two-sided Wilcoxon test over pairs of one seed, which saw one split of the data", 2, "left", "right", "p, trainings", "better", "p, steps", "better", "p, time", "better")
	for _, p := range c.Pairs {
		if p.Seeds < 2 {
			continue
		}
		row := []string{p.A, p.B}
		for _, axis := range compare.Axes {
			row = append(row, probability(p.Paired.On(axis).P), fmt.Sprintf("%d/%d", *p.Better.On(axis), p.Seeds))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{"better: pairs in which the left one has the larger hypervolume."}
	return t
}

func probability(p float64) string {
	if p < 0.0001 {
		return "<0.0001"
	}
	return Fixed(p, 4)
}

func reaches(c Comparison) TextTable {
	t := newTextTable("To reach the median end of another: medians, and shares of all that it spent", 2, "group", "reaches", "end", "runs", "trainings", "steps", "seconds")
	for _, r := range c.Reaches {
		row := []string{r.Group, r.Of, Fixed(r.Hypervolume, 4), fmt.Sprintf("%d/%d", r.Reached, r.Runs)}
		for _, axis := range compare.Axes {
			cell := "never"
			if v := float64(*r.Spent.On(axis)); !math.IsInf(v, 1) {
				cell = spentText(axis, v)
				if share := float64(*r.Share.On(axis)); !math.IsInf(share, 0) && !math.IsNaN(share) {
					cell += fmt.Sprintf(" (%2.0f %%)", 100*share)
				}
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{"runs: those that reach it. A median over runs is never where half of them don't."}
	return t
}

// attainments are the sizes that half of each group's runs attain which loss with.
func attainments(c Comparison) TextTable {
	if len(c.Objectives) != 2 {
		return TextTable{}
	}
	second := c.Objectives[1]
	t := newTextTable(fmt.Sprintf("Attained by half of the runs: the least %s with at most so much %s", c.Objectives[0], second), 0, second)
	if second == run.ObjectiveLOC {
		t.Title, t.Head[0] = fmt.Sprintf("Attained by half of the runs: the least %s with at most so many values", c.Objectives[0]), "values"
	}
	medians := make([][][2]float64, len(c.Groups))
	var sizes []float64
	for i, g := range c.Groups {
		t.Head, t.Dispensable = append(t.Head, g.Name), append(t.Dispensable, 0)
		medians[i] = g.Median().Points
		for _, p := range medians[i] {
			sizes = append(sizes, p[1])
		}
	}
	for _, size := range someOf(sizes, 10) {
		label := fmt.Sprintf("%.4g", size)
		if second == run.ObjectiveLOC {
			label = Fixed(math.Pow(10, size), 0)
		}
		row := []string{label}
		for _, points := range medians {
			cell := "–"
			for _, p := range points {
				if p[1] <= size {
					cell = fmt.Sprintf("%.4f", p[0])
				}
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// someOf are at most n of the values, each once and rising, the first and the last among them.
func someOf(values []float64, n int) []float64 {
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) <= n {
		return values
	}
	some := make([]float64, n)
	for i := range some {
		some[i] = values[i*(len(values)-1)/(n-1)]
	}
	return some
}

// spentText is an amount on an axis.
func spentText(axis string, v float64) string {
	if axis == compare.Seconds || v != math.Trunc(v) { // a median lies between two
		return Fixed(v, 1)
	}
	return Fixed(v, 0)
}

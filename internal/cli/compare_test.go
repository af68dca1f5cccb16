package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"moncae/internal/compare"
	"moncae/internal/view"
	"moncae/search/moo"
)

// contested are searches of four groups, with large budgets and long names.
func contested() view.Comparison {
	var groups []compare.Group
	for g := range 4 {
		group := compare.Group{Name: strings.Repeat(fmt.Sprintf("algorithm %d, ", g), 3)}
		for seed := range uint64(3) {
			s := compare.Search{Name: "run", Seed: &seed, Reference: moo.Point{0.2653, 2.8943}}
			for i := range 40 {
				x := float64(i+g+int(seed)) / 50
				s.Trials = append(s.Trials, compare.Trial{Steps: 54321, Seconds: 300 * float64(i), Point: moo.Point{0.2653 * x, 3.2 - 2*x}})
			}
			group.Searches = append(group.Searches, s)
		}
		groups = append(groups, group)
	}
	return view.Comparison{Objectives: []string{"loss", "loc"}, Result: compare.Of(groups), Notes: []string{"a note"}}
}

func TestComparisonFitsTheTerminal(t *testing.T) {
	for columns, want := range map[int]string{80: "…", 0: "algorithm 3, algorithm 3, algorithm 3"} {
		var b bytes.Buffer
		if err := (&app{Streams: Streams{Out: &b, Columns: columns}}).printComparison(contested()); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{want, "2172840 steps", "A", "never", "values", "a note"} {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%d columns: no %q in\n%s", columns, part, b.String())
			}
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); columns > 0 && n > columns {
				t.Errorf("%d columns: a line takes %d: %s", columns, n, line)
			}
		}
	}
}

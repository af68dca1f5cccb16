package compare

import (
	"math"
	"reflect"
	"testing"

	"moncae/internal/stats"
	"moncae/search/moo"
)

func seed(n uint64) *uint64 { return &n }

// ours fails once, and its second best trial ends last.
func ours() Search {
	return Search{Name: "ours", Seed: seed(7), Reference: moo.Point{4, 4}, Trials: []Trial{
		{Steps: 10, Seconds: 9, Point: moo.Point{2, 3}}, // 2·1
		{Steps: 5, Seconds: 2},
		{Steps: 20, Seconds: 4, Point: moo.Point{3, 1}},  // adds 1·2
		{Steps: 20, Seconds: 5, Point: moo.Point{3, 5}},  // beyond the reference
		{Steps: 20, Seconds: 6, Point: moo.Point{1, 1}},  // dominates both: 3·3
		{Steps: 20, Seconds: 30, Point: moo.Point{2, 2}}, // adds nothing
	}}
}

func theirs() Search {
	return Search{Name: "theirs", Seed: seed(7), Reference: moo.Point{4, 4}, Trials: []Trial{
		{Steps: 30, Seconds: 10, Point: moo.Point{3, 2}},
		{Steps: 30, Seconds: 20, Point: moo.Point{2, 2}},
	}}
}

func TestCurves(t *testing.T) {
	t.Parallel()
	for axis, want := range map[string]Curve{
		Trainings: {{1, 2}, {3, 4}, {5, 9}, {6, 9}},
		Steps:     {{10, 2}, {35, 4}, {75, 9}, {95, 9}},
		Seconds:   {{4, 3}, {6, 9}, {30, 9}},
	} {
		if got := ours().curve(axis); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", axis, got, want)
		}
	}
	c := ours().curve(Steps)
	if a, b, d := c.at(9), c.at(35), c.at(1e9); a != 0 || b != 4 || d != 9 {
		t.Errorf("at 9, 35 and the end: %v, %v, %v", a, b, d)
	}
	if a, b, d := c.reach(4), c.reach(9.1), c.reach(0); a != 35 || !math.IsInf(b, 1) || d != 0 {
		t.Errorf("4, 9.1 and 0 are reached at %v, %v, %v", a, b, d)
	}
	failed := Search{Reference: moo.Point{4, 4}, Trials: []Trial{{Steps: 3, Seconds: 1}}}
	if got := failed.curve(Steps); !reflect.DeepEqual(got, Curve{{3, 0}}) {
		t.Errorf("a search that only failed: %v", got)
	}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	r := Of([]Group{{"ours", []Search{ours()}}, {"theirs", []Search{theirs()}}})
	if want := (ByAxis[float64]{2, 60, 20}); r.Budgets != want {
		t.Errorf("budgets %+v, want %+v", r.Budgets, want)
	}
	a := r.Groups[0]
	if want := (ByAxis[float64]{2, 4, 9}); a.Runs[0].AtBudget != want || a.Runs[0].Failed != 1 || a.Final.Mean != 9 {
		t.Errorf("ours %+v", a)
	}
	p := r.Pairs[0]
	if want := (ByAxis[int]{0, 0, 1}); p.Seeds != 1 || p.Better != want || p.Test.Trainings.Effect != 0 || p.Test.Seconds.Effect != 1 {
		t.Errorf("the pair %+v", p)
	}
	if want := (stats.PairedTest{Pairs: 1, W: 1, P: 1, Exact: true}); p.Paired.Seconds != want || p.Paired.Steps.W != 0 {
		t.Errorf("the pair's test %+v", p.Paired)
	}
	reach := r.Reaches[0]
	if want := (ByAxis[Measured]{3, 35, 6}); reach.Hypervolume != 4 || reach.Reached != 1 || reach.Spent != want || reach.Share.Steps != 35.0/60 {
		t.Errorf("ours reaches theirs: %+v", reach)
	}
	if back := r.Reaches[1]; back.Reached != 0 || !math.IsInf(float64(back.Spent.Steps), 1) {
		t.Errorf("theirs reaches ours: %+v", back)
	}
}

func TestAttainment(t *testing.T) {
	t.Parallel()
	other := theirs()
	other.Trials = append(other.Trials, Trial{Point: moo.Point{3.5, 0.5}})
	g := Group{"both", []Search{ours(), other}}
	want := []Surface{
		{1, [][2]float64{{3.5, 0.5}, {1, 1}}},
		{2, [][2]float64{{3.5, 1}, {2, 2}}},
	}
	if got := g.attainment(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	three := Group{"three", []Search{{Reference: moo.Point{1, 1, 1}, Trials: []Trial{{Point: moo.Point{0, 0, 0}}}}}}
	if got := three.attainment(); got != nil {
		t.Errorf("of three objectives: %v", got)
	}
}

package score

import (
	"fmt"
	"math"
	"testing"

	datasource "moncae/internal/dataset/source"

	"moncae/internal/fixture"
)

// fixtures is what scikit-learn and statsmodels said; testdata/fixture.py writes it.
type fixtures struct {
	Logits []float32
	Y      []int32
	Loss   float64
	Score  struct {
		Accuracy          float64
		Confusion         [][]int
		Precision, Recall []float64
		Support           []int
	}
	Wilson []struct {
		Hits, Rows int
		Interval   [2]float64
	}
	McNemar []struct {
		OnlyThis  int `json:"only_this"`
		OnlyOther int `json:"only_other"`
		P         float64
	}
}

func readFixture(t *testing.T) (f fixtures) {
	t.Helper()
	fixture.Read(t, "testdata/score.json", &f)
	return f
}

func TestScoreIsScikitLearns(t *testing.T) {
	f := readFixture(t)
	s, err := New(f.Logits, f.Y, []string{"a", "b", "c", "d"})
	if err != nil {
		t.Fatal(err)
	}
	fixture.Near(t, "accuracy", s.Accuracy, f.Score.Accuracy, 0)
	fixture.Near(t, "cross-entropy", s.CrossEntropy, f.Loss, 1e-6) // float32 logits
	if got, want := fmt.Sprint(s.Confusion), fmt.Sprint(f.Score.Confusion); got != want {
		t.Errorf("confusion %s, wanted is %s", got, want)
	}
	for k, c := range s.PerClass {
		fixture.Near(t, c.Name+" precision", *c.Precision, f.Score.Precision[k], 1e-12)
		fixture.Near(t, c.Name+" recall", *c.Recall, f.Score.Recall[k], 1e-12)
		if c.Support != f.Score.Support[k] {
			t.Errorf("%s: support %d, wanted is %d", c.Name, c.Support, f.Score.Support[k])
		}
	}
}

// A square of many classes would fill the memory; their own figures need none.
func TestScoreOfManyClasses(t *testing.T) {
	names := make([]string, datasource.MaxClasses)
	logits := make([]float32, 2*len(names))
	logits[5], logits[2*len(names)-1] = 1, 1
	s, err := New(logits, []int32{5, 6}, names)
	if err != nil || s.Confusion != nil || s.Accuracy != 0.5 {
		t.Fatalf("accuracy %v, confusion of %d rows (%v)", s.Accuracy, len(s.Confusion), err)
	}
	if *s.PerClass[5].Recall != 1 || *s.PerClass[6].Recall != 0 || *s.PerClass[len(names)-1].Precision != 0 {
		t.Errorf("classes 5, 6 and the last: %+v, %+v, %+v", s.PerClass[5], s.PerClass[6], s.PerClass[len(names)-1])
	}
}

// A class that no row has and nobody predicts has neither precision nor recall.
func TestScoreOfAnEmptyClass(t *testing.T) {
	s, err := New([]float32{2, 1, 0, 0, 3, 0}, []int32{0, 0}, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	fixture.Near(t, "accuracy", s.Accuracy, 0.5, 0)
	fixture.Near(t, "precision of a", *s.PerClass[0].Precision, 1, 0)
	if c := s.PerClass[2]; c.Precision != nil || c.Recall != nil || c.Support != 0 {
		t.Errorf("class c is %+v", c)
	}
	if b := s.PerClass[1]; *b.Precision != 0 || b.Recall != nil {
		t.Errorf("class b is %+v", b)
	}
}

func TestScoreRefusesLogitsThatAreNoNumbers(t *testing.T) {
	nan := float32(math.NaN())
	for _, z := range [][]float32{{nan, 0}, {0, nan}, {float32(math.Inf(1)), 0}} {
		if _, err := New(z, []int32{0}, []string{"a", "b"}); err == nil {
			t.Errorf("logits %v were scored", z)
		}
	}
}

func TestWilsonIsStatsmodels(t *testing.T) {
	for _, w := range readFixture(t).Wilson {
		got := Wilson95(w.Hits, w.Rows)
		for i := range got {
			fixture.Near(t, fmt.Sprintf("%d of %d, end %d", w.Hits, w.Rows, i), got[i], w.Interval[i], 1e-12)
		}
	}
}

func TestPairedIsStatsmodels(t *testing.T) {
	for _, want := range readFixture(t).McNemar {
		n := 1000
		this, other := make([]bool, n), make([]bool, n)
		for i := range want.OnlyThis {
			this[i] = true
		}
		for i := range want.OnlyOther {
			other[n-1-i] = true
		}
		p := pair(this, other)
		if p.OnlyThis != want.OnlyThis || p.OnlyOther != want.OnlyOther {
			t.Errorf("counted %d and %d, wanted are %d and %d", p.OnlyThis, p.OnlyOther, want.OnlyThis, want.OnlyOther)
		}
		fixture.Near(t, "probability", p.P, want.P, 1e-9)
		fixture.Near(t, "gain", p.Gain, float64(want.OnlyThis-want.OnlyOther)/float64(n), 1e-15)
		if p.Interval95[0] > p.Gain || p.Interval95[1] < p.Gain {
			t.Errorf("the interval %v is not around %v", p.Interval95, p.Gain)
		}
	}
}

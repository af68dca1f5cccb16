package classify

import (
	"fmt"
	"math"
	"testing"
)

func TestScoreIsScikitLearns(t *testing.T) {
	f := readFixture(t)
	s, err := NewScore(f.Logistic.Logits, f.Logistic.Y, []string{"a", "b", "c", "d"})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy", s.Accuracy, f.Score.Accuracy, 0)
	near(t, "cross-entropy", s.CrossEntropy, f.Logistic.Loss, 1e-6) // float32 logits
	if got, want := fmt.Sprint(s.Confusion), fmt.Sprint(f.Score.Confusion); got != want {
		t.Errorf("confusion %s, wanted is %s", got, want)
	}
	for k, c := range s.PerClass {
		near(t, c.Name+" precision", *c.Precision, f.Score.Precision[k], 1e-12)
		near(t, c.Name+" recall", *c.Recall, f.Score.Recall[k], 1e-12)
		if c.Support != f.Score.Support[k] {
			t.Errorf("%s: support %d, wanted is %d", c.Name, c.Support, f.Score.Support[k])
		}
	}
}

// A class that no row has and nobody predicts has neither precision nor recall.
func TestScoreOfAnEmptyClass(t *testing.T) {
	s, err := NewScore([]float32{2, 1, 0, 0, 3, 0}, []int32{0, 0}, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy", s.Accuracy, 0.5, 0)
	near(t, "precision of a", *s.PerClass[0].Precision, 1, 0)
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
		if _, err := NewScore(z, []int32{0}, []string{"a", "b"}); err == nil {
			t.Errorf("logits %v were scored", z)
		}
	}
}

func TestWilsonIsStatsmodels(t *testing.T) {
	for _, w := range readFixture(t).Wilson {
		got := Wilson95(w.Hits, w.Rows)
		for i := range got {
			near(t, fmt.Sprintf("%d of %d, end %d", w.Hits, w.Rows, i), got[i], w.Interval[i], 1e-12)
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
		near(t, "probability", p.P, want.P, 1e-9)
		near(t, "gain", p.Gain, float64(want.OnlyThis-want.OnlyOther)/float64(n), 1e-15)
		if p.Interval95[0] > p.Gain || p.Interval95[1] < p.Gain {
			t.Errorf("the interval %v is not around %v", p.Interval95, p.Gain)
		}
	}
}

package task

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"moncae/internal/dataset"
)

func TestRidgeIsThatOfScikitLearn(t *testing.T) {
	b, err := os.ReadFile("testdata/ridge.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Cases []struct {
			X, V, Scores [][]float64
			Labels       []int32
		}
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) != 2 {
		t.Fatal("one case with more rows than columns is needed, and one with fewer")
	}
	for _, c := range f.Cases {
		x, v := dense(c.X), dense(c.V)
		standardise(x, v)
		set := &dataset.Set{Classes: []string{"a", "b", "c"}, Labels: c.Labels}
		var rows []int32
		for i := range c.Labels {
			rows = append(rows, int32(i))
		}
		scores := ridge(x, oneHot(set, rows), v)
		for i, want := range c.Scores {
			for k := range want {
				if math.Abs(scores.At(i, k)-want[k]) > 1e-9 {
					t.Errorf("score %d of row %d: %v, want %v", k, i, scores.At(i, k), want[k])
				}
			}
		}
	}
}

func dense(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, r := range rows {
		m.SetRow(i, r)
	}
	return m
}

func TestScoresOfFinetunedWeights(t *testing.T) {
	reference := 0.3
	both, probeAlone := Within{Loss: &reference, Error: 0.5}, Within{Error: 0.5}
	type point struct{ loss, wrong float64 }
	for _, x := range []struct {
		within        Within
		better, worse point
		why           string
	}{
		{both, point{0.1, 0.1}, point{0.2, 0.1}, "a lower loss"},
		{both, point{0.2, 0.1}, point{0.2, 0.2}, "a lower error"},
		{both, point{0.1, 0.11}, point{0.2, 0.1}, "a loss that makes up for a little error"},
		{both, point{0.2, 0.1}, point{0.19, 0.2}, "an error that a little loss doesn't make up for"},
		{both, point{0.29, 0.49}, point{0.31, 0}, "within the reference"},
		{both, point{0.4, 0.6}, point{0.5, 0.1}, "beyond the reference, a lower loss"},
		{probeAlone, point{0.4, 0.1}, point{0.1, 0.2}, "where the loss is no objective, a lower error"},
	} {
		better, worse := x.within.score(x.better.loss, x.better.wrong), x.within.score(x.worse.loss, x.worse.wrong)
		if !(better < worse) {
			t.Errorf("%s: %v has %v, %v has %v", x.why, x.better, better, x.worse, worse)
		}
	}
}

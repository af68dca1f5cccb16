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

package view

import (
	"slices"
	"testing"

	"moncae/internal/dataset"
)

func TestVariedRowsShowEveryClass(t *testing.T) {
	sorted := []int32{0, 0, 0, 0, 1, 1, 1, 2, 2, 2}
	rows := []int32{0, 1, 2, 3, 5, 6, 8}
	for _, c := range []struct {
		labels []int32
		n      int
		want   []int32
	}{
		{sorted, 3, []int32{0, 5, 8}},
		{sorted, 5, []int32{0, 5, 8, 1, 6}},
		{sorted, 99, []int32{0, 5, 8, 1, 6, 2, 3}},
		{sorted, 2, []int32{1, 6}},
		{nil, 2, []int32{1, 6}},
		{nil, 7, rows},
	} {
		if got := varied(&dataset.Set{Labels: c.labels}, rows, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%d of rows %v with labels %v: %v, want %v", c.n, rows, c.labels, got, c.want)
		}
	}
}

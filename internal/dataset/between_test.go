package dataset

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"moncae/internal/fault"
)

// Rows that are read alone are those of the whole, with their ids.
func TestRowsFromAndTo(t *testing.T) {
	for _, o := range []Options{{Split: "train"}, {Split: "all"}, {Split: "all", Limit: 900}, {Split: "test", Limit: 300}} {
		whole, err := Load(context.Background(), "mnist-mini", o)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(whole.Rows())
		for _, at := range [][2]int64{{0, 1}, {0, n}, {n - 1, n}, {n / 3, n / 2}, {n - 250, n + 7}, {10, 11}} {
			part := o
			part.From, part.To = at[0], at[1]
			got, err := Load(context.Background(), "mnist-mini", part)
			if err != nil {
				t.Fatal(err)
			}
			from, to := int(at[0]), int(min(at[1], n))
			size := whole.Shape.Values()
			if !slices.Equal(got.Images, whole.Images[from*size:to*size]) || !slices.Equal(got.Labels, whole.Labels[from:to]) {
				t.Errorf("%+v: other images", part)
			}
			for i := range to - from {
				if got.ID(i) != whole.ID(from+i) {
					t.Fatalf("%+v: row %d has the id %d, it was %d", part, i, got.ID(i), whole.ID(from+i))
				}
			}
			if !reflect.DeepEqual(got.Info.Splits, whole.Info.Splits) {
				t.Errorf("%+v: offers %v", part, got.Info.Splits)
			}
		}
	}
	if _, err := Load(context.Background(), "mnist-mini", Options{From: 7, To: 3}); fault.Of(err) != fault.Usage {
		t.Errorf("rows from 7 up to 3: %v", err)
	}
}

package engine

import "testing"

func TestAutoIsTheFastestPrecisionThatThereIs(t *testing.T) {
	for _, c := range []struct {
		has  []Precision
		asks Precision
		want Precision
	}{
		{[]Precision{Float32}, Auto, Float32},
		{[]Precision{Float32, TF32}, Auto, TF32},
		{[]Precision{Float32, TF32, BFloat16}, Auto, BFloat16},
		{[]Precision{Float32, BFloat16}, Float32, Float32},
		{[]Precision{Float32}, BFloat16, BFloat16}, // for CheckPrecision to refuse
	} {
		if got := (Info{Precisions: c.has}).Resolve(c.asks); got != c.want {
			t.Errorf("%s of %v is %s, want %s", c.asks, c.has, got, c.want)
		}
	}
}

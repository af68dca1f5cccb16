package engine

import (
	"math"
	"testing"
)

func TestEachStepIsBoundByTheSlowerOfItsParts(t *testing.T) {
	peaks := Peaks{Bytes: 100, MACs: 1000, Devices: 1}
	got := peaks.Bound([]Cost{{Bytes: 50, MACs: 10}, {Bytes: 1, MACs: 3000}, {Bytes: 200}})
	if want := 0.5 + 3 + 2; math.Abs(got-want) > 1e-12 {
		t.Errorf("%v s, want %v", got, want)
	}
}

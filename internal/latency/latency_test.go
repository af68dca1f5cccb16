package latency

import (
	"testing"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

func TestLatencyIsMeasured(t *testing.T) {
	c := arch.Layer{Kind: arch.Conv, Filters: 2, Kernel: 3, Stride: 1}
	a := arch.Arch{Input: arch.Shape{C: 2, H: 5, W: 4}, Encoder: arch.Stack{c}, Decoder: arch.Stack{c}}
	w := arch.InitialWeights(a.Params(), 1)
	took, err := Of(a, w, "")
	if fault.Of(err) == fault.Missing {
		t.Skip(err)
	}
	if err != nil || took <= 0 {
		t.Errorf("%v, %v", took, err)
	}
	if _, err := Of(a, w, "nowhere"); fault.Of(err) != fault.Missing {
		t.Errorf("without the library: %v", err)
	}
	delete(w, "encoder.0.bias")
	if _, err := Of(a, w, ""); err == nil {
		t.Error("weights that don't fit are taken")
	}
}

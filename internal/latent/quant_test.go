package latent

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"moncae/internal/arch"
)

func TestQuantProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := arch.Shape{C: rapid.IntRange(1, 4).Draw(t, "C"), H: rapid.IntRange(1, 3).Draw(t, "H"), W: 2}
		value := rapid.Float32Range(-1e6, 1e6)
		x := rapid.SliceOfN(value, s.Values()*3, s.Values()*3).Draw(t, "x")
		m := Meta{Shape: s}
		m.Quant = quantOf(m, Rows{Latents: x})
		if err := m.Quant.check(s.C); err != nil {
			t.Fatal(err)
		}
		y := append([]float32(nil), x...)
		m.Round(y, Int8)
		for i := range x {
			c := i / (s.H * s.W) % s.C
			step := m.Quant.Scale[c]
			// Half a step of rounding; no clipping, for the zero point's rounding
			// moves the ends by at most half a step into the spare ones.
			if e := math.Abs(float64(x[i]) - float64(y[i])); e > step/2*1.0001+1e-6*math.Abs(float64(x[i])) {
				t.Fatalf("%v comes back as %v; the step is %v", x[i], y[i], step)
			}
			if x[i] == 0 && y[i] != 0 {
				t.Fatalf("0 comes back as %v", y[i])
			}
		}
	})
}

func TestQuantEnds(t *testing.T) {
	s := arch.Shape{C: 3, H: 1, W: 2}
	x := []float32{0, 253, -253, 0, 0, 0}
	m := Meta{Shape: s}
	m.Quant = quantOf(m, Rows{Latents: x})
	got := make([]int8, 6)
	m.Quant.encode(got, x, s)
	want := []int8{-127, 126, -127, 126, -127, -127}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
	if m.Quant.Scale[2] != 1 {
		t.Errorf("the scale of an empty channel is %v", m.Quant.Scale[2])
	}
}

func TestQuantRefusesNaN(t *testing.T) {
	r := NewRange(arch.Shape{C: 1, H: 1, W: 1})
	r.Add([]float32{1, float32(math.NaN()), 2})
	if _, err := r.Quant(); err == nil {
		t.Error("NaN is quantised")
	}
}

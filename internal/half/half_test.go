package half

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		x := Value(uint16(h))
		if back := Of(x); back != uint16(h) && !math.IsNaN(float64(x)) {
			t.Fatalf("%#04x → %v → %#04x", h, x, back)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		x := float32(math.Ldexp(r.Float64()*2-1, r.IntN(45)-28))
		h := Of(x)
		if math.Abs(float64(x)) >= Max {
			continue
		}
		got := math.Abs(float64(Value(h)) - float64(x))
		for _, other := range []uint16{h - 1, h + 1} { // neighbours in size; the sign bit keeps zero's apart
			if d := math.Abs(float64(Value(other)) - float64(x)); d < got || d == got && h&1 == 1 {
				t.Fatalf("%v → %v, but %v is as near", x, Value(h), Value(other))
			}
		}
	}
	for bits, want := range map[uint16]float64{0: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 1: math.Ldexp(1, -24), 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1)} {
		if got := Value(bits); float64(got) != want {
			t.Errorf("%04x is %v, want %v", bits, got, want)
		}
	}
	for x, want := range map[float32]uint16{65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, -1e9: 0xfc00, 5.9604645e-8: 1, 2.9802322e-8: 0, 2.99e-8: 1} {
		if got := Of(x); got != want {
			t.Errorf("%v → %#04x, want %#04x", x, got, want)
		}
	}
	if v := float64(Value(0x7c01)); !math.IsNaN(v) {
		t.Errorf("7c01 is %v", v)
	}
	if Fits(65520) || !Fits(-65519) || Fits(float32(math.NaN())) {
		t.Error("Fits")
	}
}

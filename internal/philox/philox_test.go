package philox

import (
	"math"
	"testing"
)

// The known answers are those of Random123 (kat_vectors, philox4x32 10).
func TestKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		if got := Block(c.counter, c.key); got != c.want {
			t.Errorf("Block(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

func TestMaskIsTheDocumentedOne(t *testing.T) {
	m := Mask{Seed: 0x0123456789abcdef, Layer: 7, Step: 1<<32 + 5, Rate: 0.3}
	x, y := make([]float32, 43), make([]float32, 43)
	for i := range x {
		x[i] = float32(i + 1)
	}
	m.Apply(y, x)
	for i := range x {
		word := Block([4]uint32{uint32(i / 4), 7, 5, 1}, [2]uint32{0x89abcdef, 0x01234567})[i%4]
		want := float32(0)
		if float64(word>>8)/(1<<24) >= float64(float32(0.3)) {
			want = x[i] * float32(1/0.7)
		}
		if y[i] != want {
			t.Errorf("value %d is %v, want %v", i, y[i], want)
		}
	}
}

// The share kept of n values has standard deviation √(rate·(1−rate)/n); five of
// them are allowed.
func TestShareKept(t *testing.T) {
	const n = 200_000
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	for _, rate := range []float64{0, 0.1, 0.5, 0.9} {
		Mask{Seed: 1, Rate: rate}.Apply(y, x)
		kept := 0
		for _, v := range y {
			if v != 0 {
				kept++
			}
		}
		if d := math.Abs(float64(kept)/n - (1 - rate)); d > 5*math.Sqrt(rate*(1-rate)/n) {
			t.Errorf("rate %v: %d of %d are kept", rate, kept, n)
		}
	}
}

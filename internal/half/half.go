// Package half converts to and from IEEE 754 binary16, float16.
package half

import (
	"math"
	"sync"
)

// Max is the largest finite float16.
const Max = 65504

// Fits tells whether x is finite and rounds to a finite float16.
func Fits(x float32) bool {
	return math.Abs(float64(x)) < Max+16 // half a unit in the last place: from there on it rounds to infinity
}

// Of rounds to the nearest binary16, ties to even; what is too
// large becomes infinite, NaN stays NaN.
func Of(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000: // NaN: keep it quiet, whatever the payload was
		return sign | 0x7e00
	case b >= 0x47800000: // 2^16 and above
		return sign | 0x7c00
	case b >= 0x38800000: // normal: exponent 127−14 and above
		b += 0xfff + b>>13&1 // round half to even; a carry moves into the exponent
		return sign | uint16(b>>13-(127-15)<<10)
	case b < 0x33000000: // below half of the smallest subnormal
		return sign
	}
	shift := 126 - b>>23 // subnormal: value · 2^24, rounded
	m := b&0x7fffff | 0x800000
	m += 1<<(shift-1) - 1 + m>>shift&1
	return sign | uint16(m>>shift)
}

// Value is the value of a binary16, exactly.
func Value(h uint16) float32 {
	exponent, fraction := int(h>>10&31), float64(h&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(fraction+1024, exponent-25)
	}
	if h&0x8000 != 0 {
		v = math.Copysign(v, -1)
	}
	return float32(v)
}

// Values are those of all binary16, by their bits: a quarter of a megabyte, made once.
var Values = sync.OnceValue(func() *[1 << 16]float32 {
	var t [1 << 16]float32
	for i := range t {
		t[i] = Value(uint16(i))
	}
	return &t
})

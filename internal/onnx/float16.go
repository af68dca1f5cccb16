package onnx

import "math"

// MaxFloat16 is the largest finite float16.
const MaxFloat16 = 65504

// FitsFloat16 tells whether x is finite and rounds to a finite float16.
func FitsFloat16(x float32) bool {
	return math.Abs(float64(x)) < MaxFloat16+16 // half a unit in the last place: from there on it rounds to infinity
}

// ToFloat16 rounds to the nearest IEEE 754 binary16, ties to even; what is too
// large becomes infinite, NaN stays NaN.
func ToFloat16(x float32) uint16 {
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

// FromFloat16 is the value of a binary16, exactly.
func FromFloat16(h uint16) float32 {
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

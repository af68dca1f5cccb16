package pixel

import (
	"fmt"
	"math"
)

// Stretch is the byte of a value when lo becomes 0 and hi 255, rounded; what lies
// outside is clamped.
func Stretch(v, lo, hi float64) uint8 {
	return uint8(math.Round(255 * max(0, min(1, (v-lo)/(hi-lo)))))
}

// Span is the range of stored numbers that becomes 0 to 255, where one is given. Without
// it whole numbers are 0 to 255, and fractions 0 to 1.
type Span struct{ lo, hi float64 }

// Set gives the range.
func (s *Span) Set(lo, hi float64) { s.lo, s.hi = lo, hi }

// Given tells whether there is a range.
func (s *Span) Given() bool { return s != nil && s.lo < s.hi }

// Byte is the byte of a number; fractions says that it is of a floating-point type.
func (s *Span) Byte(v float64, fractions bool) (uint8, error) {
	switch {
	case math.IsNaN(v):
		return 0, fmt.Errorf("%v; it can't be a pixel", v)
	case s.Given():
		return Stretch(v, s.lo, s.hi), nil
	case fractions && v >= 0 && v <= 1:
		return uint8(math.Round(v * 255)), nil
	case fractions:
		return 0, fmt.Errorf("%v; without --range LO,HI, which says what is black and white, floats are 0 to 1", v)
	case v >= 0 && v <= 255:
		return uint8(v), nil
	}
	return 0, fmt.Errorf("%v; without --range LO,HI, which says what is black and white, integers are 0 to 255", v)
}

// stretched is the table of the range that it was made for.
type stretched struct {
	of    [2]float64
	bytes *[256]uint8
}

// shallow stretches d.stored, whose values are bytes as they were stored.
func (d *Decoder) shallow() {
	if len(d.alpha) == 0 {
		d.Seen.bytes(d.stored.Pix)
	}
	if d.Range == nil {
		return
	}
	if s := &d.stretched; s.bytes == nil || s.of != *d.Range {
		*s = stretched{*d.Range, new([256]uint8)}
		for v := range s.bytes {
			s.bytes[v] = Stretch(float64(v), s.of[0], s.of[1])
		}
	}
	for i, v := range d.stored.Pix {
		d.stored.Pix[i] = d.stretched.bytes[v]
	}
}

// narrow is the byte of a value of 16 bits.
func (d *Decoder) narrow(v uint16) uint8 {
	if d.Range == nil {
		return narrow(v)
	}
	return Stretch(float64(v), d.Range[0], d.Range[1])
}

// Seen is what a Decoder noticed of the images since it was last cleared.
type Seen struct {
	Images int // decoded
	Deep   int // of 16 bits a value
	Clear  int // with pixels that aren't opaque
	// Lo and Hi are the least and the greatest value of opaque images, as stored, on
	// a scale to 65535, where there are Values. They stay as they are once they lie
	// more than half the scale apart.
	Lo, Hi uint16
	Values bool
}

// Forget clears what grows with the images; the span of values stays, so that it
// need not be measured again.
func (s *Seen) Forget() { *s = Seen{Lo: s.Lo, Hi: s.Hi, Values: s.Values} }

// Add joins what another Decoder saw.
func (s *Seen) Add(o Seen) {
	s.Images += o.Images
	s.Deep += o.Deep
	s.Clear += o.Clear
	if o.Values {
		s.span(o.Lo, o.Hi)
	}
}

// Wide tells whether the values take more than half of what they could.
func (s *Seen) Wide() bool { return s.Values && s.Hi-s.Lo > 1<<15 }

func (s *Seen) file(alpha []uint8) {
	s.Images++
	if len(alpha) > 0 {
		s.Clear++
	}
}

func (s *Seen) bytes(pixels []uint8) {
	if s.Wide() || len(pixels) == 0 {
		return
	}
	lo, hi := pixels[0], pixels[0]
	for _, v := range pixels {
		lo, hi = min(lo, v), max(hi, v)
	}
	s.span(uint16(lo)*257, uint16(hi)*257)
}

// deep takes values of 16 bits.
func (s *Seen) deep(values ...uint16) {
	for _, v := range values {
		s.span(v, v)
	}
}

func (s *Seen) span(lo, hi uint16) {
	if !s.Values {
		s.Lo, s.Hi, s.Values = lo, hi, true
		return
	}
	s.Lo, s.Hi = min(s.Lo, lo), max(s.Hi, hi)
}

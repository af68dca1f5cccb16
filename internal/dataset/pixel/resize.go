package pixel

import "math"

// The ways to bring an image to a size.
const (
	None = "none" // the image must have the size
	Fit  = "fit"  // stretched to the size
	Crop = "crop" // scaled until it covers the size, then cut evenly on both sides
	Pad  = "pad"  // scaled until it lies within the size, then black on both sides
)

// resize scales m to h×w. Sides keep their ratio in Crop and Pad, rounded to
// whole pixels.
func (d *Decoder) resize(m *Image, h, w int, mode string) *Image {
	fh, fw := float64(h)/float64(m.H), float64(w)/float64(m.W)
	switch mode {
	case Fit:
		return d.scale(m, h, w)
	case Crop:
		f := math.Max(fh, fw)
		return d.place(d.scale(m, max(h, side(m.H, f)), max(w, side(m.W, f))), h, w)
	case Pad:
		f := math.Min(fh, fw)
		return d.place(d.scale(m, min(h, side(m.H, f)), min(w, side(m.W, f))), h, w)
	}
	panic("pixel: an image of another size, and no way to scale it: " + mode)
}

func side(n int, f float64) int { return max(1, int(math.Round(float64(n)*f))) }

// place puts m in the middle of an h×w image, cutting what does not fit.
func (d *Decoder) place(m *Image, h, w int) *Image {
	if m.H == h && m.W == w {
		return m
	}
	out := &d.turned
	if m == out {
		out = &d.scaled
	}
	out.reset(h, w, m.C)
	clear(out.Pix)
	sy, dy, rows := overlap(m.H, h)
	sx, dx, cols := overlap(m.W, w)
	for y := range rows {
		copy(out.Pix[((dy+y)*w+dx)*m.C:][:cols*m.C], m.Pix[((sy+y)*m.W+sx)*m.C:])
	}
	return out
}

// overlap centres a side of from on a side of to: both starts, and the length.
func overlap(from, to int) (src, dst, n int) {
	if from > to {
		return (from - to) / 2, 0, to
	}
	return 0, (to - from) / 2, from
}

// scale resamples rows, then columns, with 8 bits between, as Pillow does.
func (d *Decoder) scale(m *Image, h, w int) *Image {
	if m.H == h && m.W == w {
		return m
	}
	out := m
	if w != out.W {
		d.middle.reset(out.H, w, out.C)
		scaleRows(&d.middle, out)
		out = &d.middle
	}
	if h != out.H {
		d.scaled.reset(h, out.W, out.C)
		scaleColumns(&d.scaled, out)
		out = &d.scaled
	}
	return out
}

// precision is the number of fraction bits of filter weights: sums of weights
// times 255 stay within 31 bits.
const precision = 32 - 8 - 2

// taps are the source samples that make one output sample.
type taps struct {
	first   int
	weights []int32
}

// triangle is the filter of one side: a triangle over the source, as wide as
// one output sample, but at least one source sample, to each side.
func triangle(from, to int) []taps {
	scale := float64(from) / float64(to)
	support := math.Max(scale, 1)
	out := make([]taps, to)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		first := max(int(center-support+0.5), 0)
		end := min(int(center+support+0.5), from)
		weights, sum := make([]float64, end-first), 0.0
		for k := range weights {
			weights[k] = math.Max(0, 1-math.Abs((float64(first+k)-center+0.5)/support))
			sum += weights[k]
		}
		out[i] = taps{first, make([]int32, len(weights))}
		for k, v := range weights {
			out[i].weights[k] = int32(math.Round(v / sum * (1 << precision)))
		}
	}
	return out
}

func scaleRows(dst, src *Image) {
	c := src.C
	filter := triangle(src.W, dst.W)
	for y := range src.H {
		row, out := src.Pix[y*src.W*c:(y+1)*src.W*c], dst.Pix[y*dst.W*c:(y+1)*dst.W*c]
		for x, f := range filter {
			if c == 3 {
				*(*[3]uint8)(out[3*x:]) = weighted3(row[3*f.first:], f.weights)
			} else {
				out[x] = weighted(row[f.first:], f.weights)
			}
		}
	}
}

// weighted is the sum of the first values, each with its weight.
func weighted(values []uint8, weights []int32) uint8 {
	sum := int32(1 << (precision - 1))
	values = values[:len(weights)]
	for i, w := range weights {
		sum += w * int32(values[i])
	}
	return clamp(sum >> precision)
}

// weighted3 is weighted for pixels of three values.
func weighted3(pixels []uint8, weights []int32) [3]uint8 {
	r, g, b := int32(1<<(precision-1)), int32(1<<(precision-1)), int32(1<<(precision-1))
	for len(weights) >= 4 {
		p, w := (*[12]uint8)(pixels), (*[4]int32)(weights)
		r += w[0]*int32(p[0]) + w[1]*int32(p[3]) + w[2]*int32(p[6]) + w[3]*int32(p[9])
		g += w[0]*int32(p[1]) + w[1]*int32(p[4]) + w[2]*int32(p[7]) + w[3]*int32(p[10])
		b += w[0]*int32(p[2]) + w[1]*int32(p[5]) + w[2]*int32(p[8]) + w[3]*int32(p[11])
		pixels, weights = pixels[12:], weights[4:]
	}
	for _, w := range weights {
		p := (*[3]uint8)(pixels)
		r += w * int32(p[0])
		g += w * int32(p[1])
		b += w * int32(p[2])
		pixels = pixels[3:]
	}
	return [3]uint8{clamp(r >> precision), clamp(g >> precision), clamp(b >> precision)}
}

func scaleColumns(dst, src *Image) {
	stride := src.W * src.C
	sums := make([]int32, stride)
	for y, f := range triangle(src.H, dst.H) {
		for i := range sums {
			sums[i] = 1 << (precision - 1)
		}
		for k, weight := range f.weights {
			for i, v := range src.Pix[(f.first+k)*stride : (f.first+k+1)*stride] {
				sums[i] += weight * int32(v)
			}
		}
		for i, v := range sums {
			dst.Pix[y*stride+i] = clamp(v >> precision)
		}
	}
}

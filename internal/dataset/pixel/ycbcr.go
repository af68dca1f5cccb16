package pixel

import "image"

// convertYCbCr writes m to d.stored as RGB, with chroma interpolated as libjpeg
// does ("fancy upsampling"): a triangle filter over the two nearest samples
// horizontally (4:2:2), vertically (4:4:0), or both (4:2:0). Other ratios are
// repeated.
func (d *Decoder) convertYCbCr(m *image.YCbCr, toRGB func(dst, luma, cb, cr []uint8)) {
	out := &d.stored
	out.reset(m.Rect.Dy(), m.Rect.Dx(), 3)
	w := out.W
	if cap(d.chroma) < 2*w+2 {
		d.chroma = make([]uint8, 2*w+2)
	}
	cb, cr := d.chroma[:w+1], d.chroma[w+1:2*w+2]
	for y := range out.H {
		chromaRow(cb, m, m.Cb, y, w)
		chromaRow(cr, m, m.Cr, y, w)
		luma := m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y):]
		toRGB(out.Pix[3*y*w:3*(y+1)*w], luma[:w], cb[:w], cr[:w])
	}
}

// chromaRow fills dst with row y of a chroma plane at full width.
func chromaRow(dst []uint8, m *image.YCbCr, plane []uint8, y, w int) {
	aligned := m.Rect.Min.X%2 == 0 && m.Rect.Min.Y%2 == 0
	cw, ch := (w+1)/2, (m.Rect.Dy()+1)/2
	switch {
	case m.SubsampleRatio == image.YCbCrSubsampleRatio444:
		copy(dst[:w], plane[m.COffset(m.Rect.Min.X, m.Rect.Min.Y+y):])
	case m.SubsampleRatio == image.YCbCrSubsampleRatio422 && aligned && cw > 2:
		first := m.COffset(m.Rect.Min.X, m.Rect.Min.Y+y)
		widen(dst, plane[first:first+cw])
	case m.SubsampleRatio == image.YCbCrSubsampleRatio440 && aligned:
		near, far := rowsOf(y, ch)
		first := m.COffset(m.Rect.Min.X, m.Rect.Min.Y)
		blend(dst[:w], plane[first+near*m.CStride:], plane[first+far*m.CStride:], 1+y&1)
	case m.SubsampleRatio == image.YCbCrSubsampleRatio420 && aligned && cw > 2:
		near, far := rowsOf(y, ch)
		first := m.COffset(m.Rect.Min.X, m.Rect.Min.Y)
		widen2(dst, plane[first+near*m.CStride:][:cw], plane[first+far*m.CStride:][:cw])
	default:
		for x := range w {
			dst[x] = plane[m.COffset(m.Rect.Min.X+x, m.Rect.Min.Y+y)]
		}
	}
}

// rowsOf are the nearer and the farther of ch chroma rows for row y of twice as
// many; beyond the edge the nearer one stands for both.
func rowsOf(y, ch int) (near, far int) {
	near = y / 2
	return near, min(max(near+2*(y&1)-1, 0), ch-1)
}

// blend is 3/4 of the nearer row and 1/4 of the farther, with what is added
// before the division by 4.
func blend(dst, near, far []uint8, add int) {
	for i := range dst {
		dst[i] = uint8((3*int(near[i]) + int(far[i]) + add) >> 2)
	}
}

// widen doubles a row: every output is 3/4 of the nearer sample and 1/4 of the
// farther, rounded down on the left of a sample and up on its right.
func widen(dst, src []uint8) {
	last := len(src) - 1
	for i, v := range src {
		s := 3 * int(v)
		left, right := src[max(i-1, 0)], src[min(i+1, last)]
		dst[2*i] = uint8((s + int(left) + 1) >> 2)
		if 2*i+1 < len(dst) {
			dst[2*i+1] = uint8((s + int(right) + 2) >> 2)
		}
	}
}

// widen2 is widen after blending 3/4 of the nearer row and 1/4 of the farther.
func widen2(dst, near, far []uint8) {
	far = far[:len(near)]
	here := 3*int32(near[0]) + int32(far[0])
	left := here
	for i, v := range near[1:] {
		right := 3*int32(v) + int32(far[i+1])
		pair := (*[2]uint8)(dst)
		pair[0] = uint8((3*here + left + 8) >> 4)
		pair[1] = uint8((3*here + right + 7) >> 4)
		left, here, dst = here, right, dst[2:]
	}
	dst[0] = uint8((3*here + left + 8) >> 4)
	if len(dst) > 1 {
		dst[1] = uint8((3*here + here + 7) >> 4)
	}
}

// webpRow converts by the matrix of BT.601 with luma from 16 to 235, which is
// what lossy WebP means (RFC 9649), in libwebp's 14-bit fixed point.
func webpRow(dst, luma, cb, cr []uint8) {
	for x, l := range luma {
		y := int32(l) * 19077 >> 8
		b, r := int32(cb[x]), int32(cr[x])
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0] = clamp((y + r*26149>>8 - 14234) >> 6)
		p[1] = clamp((y - b*6419>>8 - r*13320>>8 + 8708) >> 6)
		p[2] = clamp((y + b*33050>>8 - 17685) >> 6)
	}
}

// jpegRow converts by the JFIF matrix in 16-bit fixed point.
func jpegRow(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		y := int32(l)*0x10000 + 1<<15
		u, v := int32(cb[x])-128, int32(cr[x])-128
		r, g, b := y+91881*v, y-22554*u-46802*v, y+116130*u
		p := (*[3]uint8)(dst)
		if uint32(r|g|b) < 1<<24 { // all within 0 … 255, as nearly always
			p[0], p[1], p[2] = uint8(r>>16), uint8(g>>16), uint8(b>>16)
		} else {
			p[0], p[1], p[2] = clamp(r>>16), clamp(g>>16), clamp(b>>16)
		}
		dst = dst[3:]
	}
}

func clamp(v int32) uint8 {
	if uint32(v) <= 255 {
		return uint8(v)
	}
	return uint8(^(v >> 31))
}

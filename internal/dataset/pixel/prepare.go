package pixel

// Prepare writes m to dst, channels·h·w bytes in CHW order, after scaling it to
// h×w by mode (fit, crop, pad; "none" asserts that the size is right already).
// Colour becomes grey by 0.299 R + 0.587 G + 0.114 B (before scaling), grey
// becomes colour by repetition.
func (d *Decoder) Prepare(dst []uint8, m *Image, h, w, channels int, mode string) {
	if m.C == 3 && channels == 1 {
		m = d.grey(m)
	}
	if m.H != h || m.W != w {
		m = d.resize(m, h, w, mode)
	}
	planes(dst, m, channels)
}

// Grey value by the luma weights of ITU-R BT.601, 16-bit fixed point, rounded.
func luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

// grey overwrites m, which is the decoder's own memory or the caller's scratch.
func (d *Decoder) grey(m *Image) *Image {
	n := m.H * m.W
	for i := range n {
		m.Pix[i] = luma(m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2])
	}
	m.C, m.Pix = 1, m.Pix[:n]
	return m
}

func planes(dst []uint8, m *Image, channels int) {
	n := m.H * m.W
	if m.C == 1 {
		for c := range channels {
			copy(dst[c*n:(c+1)*n], m.Pix)
		}
		return
	}
	r, g, b := dst[:n], dst[n:2*n], dst[2*n:3*n]
	for i := range r {
		p := m.Pix[3*i : 3*i+3 : 3*i+3]
		r[i], g[i], b[i] = p[0], p[1], p[2]
	}
}

// Interleave makes an image of h·w·c raw bytes, planar (CHW) or interleaved
// already (HWC); the result is valid until the next call.
func (d *Decoder) Interleave(raw []uint8, h, w, c int, planar bool) *Image {
	d.stored.reset(h, w, c)
	d.alpha = d.alpha[:0]
	d.Seen.Images++
	if n := h * w; planar && c > 1 {
		for i := range n {
			for k := range c {
				d.stored.Pix[c*i+k] = raw[k*n+i]
			}
		}
	} else {
		copy(d.stored.Pix, raw)
	}
	d.shallow()
	return &d.stored
}

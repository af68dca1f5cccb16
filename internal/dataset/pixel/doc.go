// Package pixel turns image files into the bytes that networks see: it decodes,
// turns upright, scales, picks channels, and lays the result out as CHW.
//
// It promises, for every file it accepts:
//   - JPEG pixels equal to those of libjpeg (Pillow, torchvision) within 3 grey
//     levels: subsampled chroma is interpolated as libjpeg does, not repeated;
//   - EXIF orientation applied (JPEG, PNG, WebP, TIFF);
//   - transparency composited on black; 16 bits scaled to 8 with rounding;
//     the first frame of an animation; CMYK converted;
//   - scaling by a triangle filter as wide as the reduction (Pillow's BILINEAR),
//     so that fine detail does not alias.
//
// It never allocates for an image larger than MaxPixels, which is checked on
// the header. A Decoder reuses its memory; 32×32 JPEGs cost about 20 µs each.
package pixel

// MaxPixels is the size of the largest image that is decoded.
const MaxPixels = 1 << 27

// Image is a decoded image: H·W·C bytes, interleaved (HWC), C is 1 (grey) or 3 (RGB).
type Image struct {
	H, W, C int
	Pix     []uint8
}

// reset gives the image a size, reusing its memory.
func (m *Image) reset(h, w, c int) {
	m.H, m.W, m.C = h, w, c
	n := h * w * c
	if cap(m.Pix) < n {
		m.Pix = make([]uint8, n)
	}
	m.Pix = m.Pix[:n]
}

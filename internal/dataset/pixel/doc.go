// Package pixel turns image files into the bytes that networks see: it decodes,
// turns upright, scales, picks channels, and lays the result out as CHW.
//
// It reads JPEG, PNG, GIF, BMP, WebP, TIFF and PNM, and promises, for every file
// it accepts:
//   - JPEG pixels equal to those of libjpeg (Pillow, torchvision) within 3 grey
//     levels, 4 for CMYK and YCCK: subsampled chroma is interpolated as libjpeg
//     does (4:2:0, 4:2:2, 4:4:0), not repeated;
//   - orientation applied, as EXIF (JPEG, PNG, WebP, TIFF) or else XMP says;
//   - transparency composited on Decoder.Background; 16 bits scaled to 8 with
//     rounding; the first frame of an animation, the first page of a TIFF; CMYK
//     converted as Pillow does;
//   - scaling by a triangle filter as wide as the reduction (Pillow's BILINEAR),
//     so that fine detail does not alias.
//
// What is valid but not read is refused with an *Unread, which says what it is.
// A Decoder tells in Seen what a user should know of the images that it decoded.
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

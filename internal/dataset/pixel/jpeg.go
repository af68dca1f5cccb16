package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"slices"
)

// adobe is what a JPEG's segment APP14 says of its colours.
type adobe struct {
	at        int  // where its transform stands; 0: there is no such segment
	transform byte // 0: none, otherwise YCbCr or YCCK
	four      bool // the image has four components
	halved    bool // of these the second and the third have half the size
}

// jpegKinds are the frame headers that are not read, by marker.
var jpegKinds = map[byte]string{
	0xc3: "a lossless JPEG", 0xc5: "a hierarchical JPEG", 0xc6: "a hierarchical JPEG", 0xc7: "a hierarchical JPEG",
	0xc9: "a JPEG with arithmetic coding", 0xca: "a JPEG with arithmetic coding", 0xcb: "a JPEG with arithmetic coding",
	0xcd: "a JPEG with arithmetic coding", 0xce: "a JPEG with arithmetic coding", 0xcf: "a JPEG with arithmetic coding",
}

// readJPEG walks the markers up to the frame header, and of images with four
// components up to the pixels.
func (h *Header) readJPEG(data []byte, _ bool) error {
	var exif, xmp []byte
	framed := false
	for i := 2; ; {
		for i < len(data) && data[i] != 0xff {
			i++
		}
		for i < len(data) && data[i] == 0xff {
			i++
		}
		if i+3 > len(data) {
			return errShort
		}
		marker := data[i]
		if marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8 {
			i++
			continue
		}
		size := int(binary.BigEndian.Uint16(data[i+1:]))
		if size < 2 || i+1+size > len(data) {
			return errShort
		}
		body := data[i+3 : i+1+size]
		switch {
		case marker == 0xe1 && exif == nil && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			exif = body
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("http://ns.adobe.com/xap/1.0/\x00")):
			xmp = body
		case marker == 0xee && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
			h.adobe.at, h.adobe.transform = i+3+11, body[11]
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc && !framed:
			if err := h.frame(marker, body); err != nil {
				return err
			}
			h.turn, framed = turnOf(exif, xmp), true
		case (marker == 0xd9 || marker == 0xda) && !framed:
			return errors.New("there is no frame header")
		}
		if framed && (!h.adobe.four || marker == 0xda) {
			return nil
		}
		i += 1 + size
	}
}

// frame reads a frame header.
func (h *Header) frame(marker byte, body []byte) error {
	if len(body) < 8 {
		return errShort
	}
	if kind := jpegKinds[marker]; kind != "" {
		return unreadKind("%s", kind)
	}
	if body[0] != 8 {
		return unreadKind("a JPEG of %d bits", body[0])
	}
	if body[5] == 2 || body[5] > 4 {
		return unreadKind("a JPEG of %d channels", body[5])
	}
	h.H, h.W = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	h.Grey, h.adobe.four = body[5] == 1, body[5] == 4
	h.adobe.halved = body[7] == 0x22
	return nil
}

// decodeJPEG decodes an image of one or three components. Of four, the library
// converts YCCK with repeated chroma and refuses what says nothing of its
// colours; told that they are CMYK, it hands the components over as they are.
func decodeJPEG(r *bytes.Reader, data []byte, h Header) (image.Image, error) {
	if !h.adobe.four {
		return jpeg.Decode(r)
	}
	var as []byte
	if h.adobe.at > 0 {
		as = bytes.Clone(data)
		as[h.adobe.at] = 0
	} else {
		app14 := []byte("\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00")
		as = slices.Concat(data[:2], app14, data[2:])
	}
	m, err := jpeg.Decode(bytes.NewReader(as))
	if err != nil {
		return nil, err
	}
	four, ok := m.(*image.CMYK)
	if !ok {
		return nil, errors.New("its components are not those of its header")
	}
	return four, nil
}

// convertCMYK writes m to d.stored by Pillow's formula. Adobe's files, which
// nearly all are, store inverted values; all are taken for such, as by Pillow.
// In YCCK, the first three components are inverted YCbCr.
func (d *Decoder) convertCMYK(m *image.CMYK, a adobe) {
	out := &d.stored
	out.reset(m.Rect.Dy(), m.Rect.Dx(), 3)
	ycck := a.transform != 0
	if ycck {
		d.convertYCbCr(splitYCCK(m, a.halved), jpegRow)
	}
	for i := range out.H * out.W {
		p, inks := out.Pix[3*i:3*i+3:3*i+3], m.Pix[4*i:4*i+4:4*i+4]
		if ycck {
			inks = []uint8{p[0], p[1], p[2], inks[3]}
		}
		white := 255 - uint32(inks[3])
		for c := range 3 {
			t := uint32(inks[c])*white + 128
			p[c] = uint8(white - (t>>8+t)>>8)
		}
	}
}

// splitYCCK takes the planes apart again. Chroma of half the size was repeated in
// both directions.
func splitYCCK(m *image.CMYK, halved bool) *image.YCbCr {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	ratio, step := image.YCbCrSubsampleRatio444, 1
	if halved {
		ratio, step = image.YCbCrSubsampleRatio420, 2
	}
	out := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
	for y := range h {
		for x := range w {
			p := m.Pix[y*m.Stride+4*x:]
			out.Y[y*out.YStride+x] = 255 - p[0]
			if x%step == 0 && y%step == 0 {
				c := y/step*out.CStride + x/step
				out.Cb[c], out.Cr[c] = 255-p[1], 255-p[2]
			}
		}
	}
	return out
}

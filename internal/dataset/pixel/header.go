package pixel

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/bmp"
)

// Header is what an image file says about itself before its pixels.
type Header struct {
	Format string          // jpeg, png, gif, bmp, webp, tiff, pnm
	H, W   int             // of the image turned upright
	Grey   bool            // stored without colour: one component, or a palette of greys
	canvas image.Rectangle // as stored
	turn   int             // orientation as EXIF counts, 1 to 8
	adobe  adobe           // of a JPEG with four components
	tiff   directory
}

// format is one that is read: how a file begins, and how its header is read
// from the beginning of a file, or from a whole one.
type format struct {
	name  string
	magic []string // '?' stands for any byte
	read  func(h *Header, data []byte, whole bool) error
}

var formats = []format{
	{"jpeg", []string{"\xff\xd8"}, (*Header).readJPEG},
	{"png", []string{"\x89PNG\r\n\x1a\n"}, (*Header).readPNG},
	{"gif", []string{"GIF87a", "GIF89a"}, (*Header).readGIF},
	{"bmp", []string{"BM"}, (*Header).readBMP},
	{"webp", []string{"RIFF????WEBP"}, (*Header).readWebP},
	{"tiff", []string{"II*\x00", "MM\x00*"}, (*Header).readTIFF},
	{"pnm", []string{"P1", "P2", "P3", "P4", "P5", "P6"}, (*Header).readPNM},
}

// begins tells whether data begins with one of the format's magic words.
func (f format) begins(data []byte) bool {
	for _, m := range f.magic {
		if len(data) >= len(m) && matches(data[:len(m)], m) {
			return true
		}
	}
	return false
}

func matches(data []byte, pattern string) bool {
	for i, c := range []byte(pattern) {
		if c != '?' && data[i] != c {
			return false
		}
	}
	return true
}

// ReadHeader reads the header of an image file. Where whole is false, data is the
// file's beginning: an error then may be owed to that, and the header is to be
// read from the whole file, as Decode does. Both then see the same.
func ReadHeader(data []byte, whole bool) (Header, error) {
	h := Header{turn: 1}
	for _, f := range formats {
		if !f.begins(data) {
			continue
		}
		h.Format = f.name
		if err := f.read(&h, data, whole); err != nil {
			return h, explain(f.name, err)
		}
		if h.H < 1 || h.W < 1 {
			return h, fmt.Errorf("the %s says that its size is %d×%d", names[f.name], h.H, h.W)
		}
		if int64(h.H)*int64(h.W) > MaxPixels {
			return h, fmt.Errorf("the header of the %s claims %d×%d pixels, more than %d are refused", names[f.name], h.H, h.W, MaxPixels)
		}
		h.canvas = image.Rect(0, 0, h.W, h.H)
		if h.turn >= 5 {
			h.H, h.W = h.W, h.H
		}
		return h, nil
	}
	return h, unknown(data)
}

// Begins tells whether data is the beginning of an image of a known format.
func Begins(data []byte) bool {
	for _, f := range formats {
		if f.begins(data) {
			err := f.read(&Header{}, data, false)
			return err == nil || errors.Is(err, errShort)
		}
	}
	return false
}

func (h *Header) readBMP(data []byte, _ bool) error {
	return h.readConfig(bmp.DecodeConfig(bytes.NewReader(data)))
}

func (h *Header) readConfig(c image.Config, err error) error {
	h.H, h.W = c.Height, c.Width
	switch m := c.ColorModel.(type) {
	case color.Palette:
		h.Grey = greyPalette(m)
	default:
		h.Grey = c.ColorModel == color.GrayModel || c.ColorModel == color.Gray16Model
	}
	return err
}

func greyPalette(p color.Palette) bool {
	for _, c := range p {
		if r, g, b, _ := c.RGBA(); r != g || g != b {
			return false
		}
	}
	return len(p) > 0
}

// greyTriples tells whether all of some RGB values are grey.
func greyTriples(rgb []byte) bool {
	for i := 0; i+2 < len(rgb); i += 3 {
		if rgb[i] != rgb[i+1] || rgb[i] != rgb[i+2] {
			return false
		}
	}
	return len(rgb) > 0
}

package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// Header is what an image file says about itself before its pixels.
type Header struct {
	Format string // jpeg, png, gif, bmp, webp, tiff
	H, W   int    // of the image turned upright
	Grey   bool   // stored without colour: one component, or a palette of greys
	turn   int    // EXIF orientation, 1 to 8
}

// ErrFormat is the error for bytes that are no image of a known format.
var ErrFormat = errors.New("not a JPEG, PNG, GIF, BMP, WebP or TIFF image")

// errShort says that a header goes on beyond the bytes at hand.
var errShort = errors.New("the header is cut off")

// ReadHeader reads the header of an image file; data may be its beginning only,
// as long as the header lies within.
func ReadHeader(data []byte) (Header, error) {
	h := Header{turn: 1}
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8")):
		h.Format, err = "jpeg", h.readJPEG(data)
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		h.Format, err = "png", h.readPNG(data)
	case bytes.HasPrefix(data, []byte("GIF8")):
		h.Format, err = "gif", h.readConfig(gif.DecodeConfig(bytes.NewReader(data)))
	case bytes.HasPrefix(data, []byte("BM")):
		h.Format, err = "bmp", h.readConfig(bmp.DecodeConfig(bytes.NewReader(data)))
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		h.Format, err = "webp", h.readConfig(webp.DecodeConfig(bytes.NewReader(data)))
		h.turn = orientation(webpEXIF(data))
	case bytes.HasPrefix(data, []byte("II*\x00")), bytes.HasPrefix(data, []byte("MM\x00*")):
		h.Format, err = "tiff", h.readConfig(tiff.DecodeConfig(bytes.NewReader(data)))
		h.turn = orientation(data)
	default:
		return h, ErrFormat
	}
	if err != nil {
		return h, fmt.Errorf("%s: %w", h.Format, err)
	}
	if h.H < 1 || h.W < 1 {
		return h, fmt.Errorf("%s: its size is %d×%d", h.Format, h.H, h.W)
	}
	if int64(h.H)*int64(h.W) > MaxPixels {
		return h, fmt.Errorf("%s: its header claims %d×%d pixels, more than %d are refused", h.Format, h.H, h.W, MaxPixels)
	}
	if h.turn >= 5 {
		h.H, h.W = h.W, h.H
	}
	return h, nil
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

// readJPEG walks the markers up to the frame header.
func (h *Header) readJPEG(data []byte) error {
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
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			h.turn = orientation(body[6:])
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			if len(body) < 6 {
				return errShort
			}
			h.H, h.W = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
			h.Grey = body[5] == 1
			return nil
		case marker == 0xd9 || marker == 0xda:
			return errors.New("there is no frame header")
		}
		i += 1 + size
	}
}

// readPNG reads IHDR, and the chunks up to the pixels for a palette and EXIF.
func (h *Header) readPNG(data []byte) error {
	if len(data) < 33 || string(data[12:16]) != "IHDR" {
		return errShort
	}
	w, height := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if w > 1<<30 || height > 1<<30 {
		return fmt.Errorf("its header claims %d×%d pixels", height, w)
	}
	h.H, h.W = int(height), int(w)
	kind := data[25]
	h.Grey = kind == 0 || kind == 4
	for i := 33; i+8 <= len(data); {
		size, name := int64(binary.BigEndian.Uint32(data[i:])), string(data[i+4:i+8])
		if name == "IDAT" || int64(i)+12+size > int64(len(data)) {
			break
		}
		body := data[i+8 : i+8+int(size)]
		switch name {
		case "PLTE":
			h.Grey = kind == 3 && greyTriples(body) || kind != 3 && h.Grey
		case "eXIf":
			h.turn = orientation(body)
		}
		i += 12 + int(size)
	}
	return nil
}

func greyTriples(rgb []byte) bool {
	for i := 0; i+2 < len(rgb); i += 3 {
		if rgb[i] != rgb[i+1] || rgb[i] != rgb[i+2] {
			return false
		}
	}
	return true
}

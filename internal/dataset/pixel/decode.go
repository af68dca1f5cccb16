package pixel

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// Decoder decodes and prepares images, one at a time; the zero value is ready.
type Decoder struct {
	stored, turned, scaled, middle Image
	chroma                         []uint8
	input                          bytes.Reader
}

// Decode decodes an image file. The result is valid until the next call.
func (d *Decoder) Decode(data []byte) (*Image, error) {
	h, err := ReadHeader(data)
	if err != nil {
		return nil, err
	}
	m, err := d.decode(h.Format, data)
	if err != nil {
		if strings.HasPrefix(err.Error(), h.Format+": ") {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", h.Format, err)
	}
	d.convert(m, h)
	if h.turn == 1 {
		return &d.stored, nil
	}
	upright(&d.turned, &d.stored, h.turn)
	return &d.turned, nil
}

func (d *Decoder) decode(format string, data []byte) (image.Image, error) {
	d.input.Reset(data)
	switch format {
	case "jpeg":
		return jpeg.Decode(&d.input)
	case "png":
		return png.Decode(&d.input)
	case "gif":
		return decodeGIF(&d.input)
	case "bmp":
		return bmp.Decode(&d.input)
	case "webp":
		return webp.Decode(&d.input)
	default:
		return tiff.Decode(&d.input)
	}
}

// decodeGIF is the first frame, which may be smaller than the canvas, on it.
func decodeGIF(r *bytes.Reader) (image.Image, error) {
	c, err := gif.DecodeConfig(r)
	if err != nil {
		return nil, err
	}
	if _, err := r.Seek(0, 0); err != nil {
		return nil, err
	}
	m, err := gif.Decode(r)
	if err != nil {
		return nil, err
	}
	frame := m.(*image.Paletted)
	canvas := image.Rect(0, 0, c.Width, c.Height)
	if frame.Rect == canvas {
		return frame, nil
	}
	out := image.NewRGBA(canvas)
	for y := frame.Rect.Min.Y; y < frame.Rect.Max.Y; y++ {
		for x := frame.Rect.Min.X; x < frame.Rect.Max.X; x++ {
			out.Set(x, y, frame.At(x, y))
		}
	}
	return out, nil
}

// convert writes m to d.stored: grey where the file is stored so, RGB otherwise.
func (d *Decoder) convert(m image.Image, h Header) {
	b, out := m.Bounds(), &d.stored
	channels := 3
	if h.Grey {
		channels = 1
	}
	out.reset(b.Dy(), b.Dx(), channels)
	switch m := m.(type) {
	case *image.Gray:
		for y := range out.H {
			from := m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):]
			spread(out.Pix[y*out.W*channels:], from[:out.W], channels)
		}
	case *image.YCbCr:
		if h.Format == "webp" {
			d.convertYCbCr(m, webpRow)
		} else {
			d.convertYCbCr(m, jpegRow)
		}
	case *image.NYCbCrA: // WebP only
		d.convertYCbCr(&m.YCbCr, webpRow)
		for y := range out.H {
			for x, a := range m.A[m.AOffset(b.Min.X, b.Min.Y+y):][:out.W] {
				p := out.Pix[3*(y*out.W+x):]
				p[0], p[1], p[2] = over(p[0], uint32(a)), over(p[1], uint32(a)), over(p[2], uint32(a))
			}
		}
	case *image.RGBA:
		for y := range out.H {
			fromRGBA(out, y, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.NRGBA:
		for y := range out.H {
			fromNRGBA(out, y, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.Paletted:
		fromPaletted(out, m)
	default:
		fromAny(out, m)
	}
}

// spread repeats every grey value channels times.
func spread(dst, src []uint8, channels int) {
	if channels == 1 {
		copy(dst, src)
		return
	}
	for x, v := range src {
		dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
	}
}

// fromRGBA drops the alpha of premultiplied pixels: that is a black background.
func fromRGBA(out *Image, y int, src []uint8) {
	for x := range out.W {
		p := src[4*x : 4*x+3 : 4*x+3]
		out.set(y, x, p[0], p[1], p[2])
	}
}

func fromNRGBA(out *Image, y int, src []uint8) {
	for x := range out.W {
		p := src[4*x : 4*x+4 : 4*x+4]
		if a := uint32(p[3]); a != 255 {
			out.set(y, x, over(p[0], a), over(p[1], a), over(p[2], a))
		} else {
			out.set(y, x, p[0], p[1], p[2])
		}
	}
}

// over is the value v with opacity a on black, rounded.
func over(v uint8, a uint32) uint8 { return uint8((uint32(v)*a + 127) / 255) }

func fromPaletted(out *Image, m *image.Paletted) {
	var table [256][3]uint8
	for i, c := range m.Palette {
		table[i] = bytesOf(c)
	}
	for y := range out.H {
		row := m.Pix[y*m.Stride:]
		for x := range out.W {
			c := table[row[x]]
			out.set(y, x, c[0], c[1], c[2])
		}
	}
}

func fromAny(out *Image, m image.Image) {
	b := m.Bounds()
	for y := range out.H {
		for x := range out.W {
			c := bytesOf(m.At(b.Min.X+x, b.Min.Y+y))
			out.set(y, x, c[0], c[1], c[2])
		}
	}
}

// bytesOf scales a colour's premultiplied 16-bit values to 8 bits, rounded.
func bytesOf(c color.Color) [3]uint8 {
	r, g, b, _ := c.RGBA()
	return [3]uint8{narrow(r), narrow(g), narrow(b)}
}

func narrow(v uint32) uint8 { return uint8((v*255 + 32767) / 65535) }

// set writes a pixel; a grey image takes the first value.
func (m *Image) set(y, x int, r, g, b uint8) {
	p := m.Pix[(y*m.W+x)*m.C:]
	p[0] = r
	if m.C == 3 {
		p[1], p[2] = g, b
	}
}

package pixel

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"

	"golang.org/x/image/bmp"
)

// Decoder decodes and prepares images, one at a time; the zero value is ready.
type Decoder struct {
	Background uint8       // the grey that transparent pixels are drawn on
	Range      *[2]float64 // stored values that become 0 and 255, others are clamped; nil: the least and the greatest possible
	Seen       Seen        // grows with every image

	stored, turned, scaled, middle Image
	alpha                          []uint8 // of d.stored; empty: all is opaque
	stretched                      stretched
	chroma                         []uint8
	input                          bytes.Reader
}

// Decode decodes an image file. The result is valid until the next call.
func (d *Decoder) Decode(data []byte) (*Image, error) {
	h, err := ReadHeader(data, true)
	if err != nil {
		return nil, err
	}
	m, err := d.decode(data, h)
	if err != nil {
		return nil, explain(h.Format, err)
	}
	d.convert(m, h)
	d.Seen.file(d.alpha)
	d.compose()
	if h.turn == 1 {
		return &d.stored, nil
	}
	upright(&d.turned, &d.stored, h.turn)
	return &d.turned, nil
}

func (d *Decoder) decode(data []byte, h Header) (image.Image, error) {
	d.input.Reset(data)
	switch h.Format {
	case "jpeg":
		return decodeJPEG(&d.input, data, h)
	case "png":
		return png.Decode(&d.input)
	case "gif":
		return decodeGIF(&d.input, h)
	case "bmp":
		return bmp.Decode(&d.input)
	case "webp":
		return decodeWebP(data, h)
	case "pnm":
		return decodePNM(data)
	default:
		return decodeTIFF(&d.input, h.tiff)
	}
}

// convert writes m to d.stored and d.alpha: grey where the file is stored so, RGB
// otherwise, with the range stretched.
func (d *Decoder) convert(m image.Image, h Header) {
	b, out := m.Bounds(), &d.stored
	channels := 3
	if h.Grey {
		channels = 1
	}
	out.reset(b.Dy(), b.Dx(), channels)
	d.alpha = d.alpha[:0]
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
				d.opacity(y*out.W+x, a)
			}
		}
	case *image.CMYK:
		d.convertCMYK(m, h.adobe)
	case *image.RGBA:
		for y := range out.H {
			d.fromRGBA(y, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.NRGBA:
		for y := range out.H {
			d.fromNRGBA(y, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.Paletted:
		d.fromPaletted(m)
	default: // 16 bits
		d.fromDeep(m)
		return
	}
	d.shallow()
}

// opacity sets that of pixel i.
func (d *Decoder) opacity(i int, a uint8) {
	if a == 255 && len(d.alpha) == 0 {
		return
	}
	if n := d.stored.H * d.stored.W; len(d.alpha) == 0 {
		d.alpha = slices.Grow(d.alpha, n)[:n]
		for k := range d.alpha {
			d.alpha[k] = 255
		}
	}
	d.alpha[i] = a
}

// compose draws the image on the background.
func (d *Decoder) compose() {
	c := d.stored.C
	for i, a := range d.alpha {
		if a == 255 {
			continue
		}
		p := d.stored.Pix[c*i : c*i+c]
		for k, v := range p {
			p[k] = uint8((uint32(v)*uint32(a) + uint32(d.Background)*(255-uint32(a)) + 127) / 255)
		}
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

// fromRGBA undoes the multiplication by alpha, rounded.
func (d *Decoder) fromRGBA(y int, src []uint8) {
	out := &d.stored
	for x := range out.W {
		p := src[4*x : 4*x+4 : 4*x+4]
		if a := p[3]; a != 255 && a != 0 {
			out.set(y, x, divide(p[0], a), divide(p[1], a), divide(p[2], a))
		} else {
			out.set(y, x, p[0], p[1], p[2])
		}
		d.opacity(y*out.W+x, p[3])
	}
}

func divide(v, a uint8) uint8 { return uint8(min(255, (uint32(v)*255+uint32(a)/2)/uint32(a))) }

func (d *Decoder) fromNRGBA(y int, src []uint8) {
	out := &d.stored
	for x := range out.W {
		p := src[4*x : 4*x+4 : 4*x+4]
		out.set(y, x, p[0], p[1], p[2])
		d.opacity(y*out.W+x, p[3])
	}
}

func (d *Decoder) fromPaletted(m *image.Paletted) {
	out := &d.stored
	var table [256]color.NRGBA
	for i, c := range m.Palette {
		table[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	for y := range out.H {
		row := m.Pix[y*m.Stride:]
		for x := range out.W {
			c := table[row[x]]
			out.set(y, x, c.R, c.G, c.B)
			d.opacity(y*out.W+x, c.A)
		}
	}
}

// fromDeep narrows 16 bits to 8.
func (d *Decoder) fromDeep(m image.Image) {
	b, out := m.Bounds(), &d.stored
	d.Seen.Deep++
	for y := range out.H {
		for x := range out.W {
			c := color.NRGBA64Model.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA64)
			out.set(y, x, d.narrow(c.R), d.narrow(c.G), d.narrow(c.B))
			a := narrow(c.A)
			d.opacity(y*out.W+x, a)
			if a == 255 {
				d.Seen.deep(c.R, c.G, c.B)
			}
		}
	}
}

// narrow is 16 bits in 8, rounded.
func narrow(v uint16) uint8 { return uint8((uint32(v)*255 + 32767) / 65535) }

// set writes a pixel; a grey image takes the first value.
func (m *Image) set(y, x int, r, g, b uint8) {
	p := m.Pix[(y*m.W+x)*m.C:]
	p[0] = r
	if m.C == 3 {
		p[1], p[2] = g, b
	}
}

// Package figure draws what a person looks at: a search's front and its
// reconstructions, as PNG for screens and SVG for print.
//
// The file's ending chooses the format. Drawing costs a second or less for a
// thousand points or thirty rows of images; output is the same bytes each time.
package figure

import (
	"bytes"
	"image/color"
	"io"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"moncae/internal/fault"
)

// dpi of PNG figures: a 16 cm wide figure has about 1,260 pixels.
const dpi = 200

var (
	ink   = color.RGBA{0x22, 0x2b, 0x33, 0xff}
	faint = color.RGBA{0xb4, 0xbd, 0xc4, 0xff}
	blue  = color.RGBA{0x1f, 0x6f, 0xb2, 0xff}
	rust  = color.RGBA{0xc2, 0x55, 0x2d, 0xff}
	green = color.RGBA{0x3b, 0x7d, 0x4f, 0xff}
)

// Format is what a path's ending asks for, "png" or "svg".
func Format(path string) (string, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".png", ".svg":
		return ext[1:], nil
	default:
		return "", fault.Usagef("%s: a figure is written as .png or .svg, not %q", path, ext)
	}
}

// render draws on a canvas of the given size and writes it as png or svg.
func render(w io.Writer, format string, width, height vg.Length, paint func(draw.Canvas)) error {
	if format == "svg" {
		c := vgsvg.New(width, height)
		paint(draw.New(c))
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			return err
		}
		_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte(family), []byte(families)))
		return err
	}
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	paint(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// The widths of Arial and Helvetica are those of the font that text is measured
// with, so that a viewer without it finds everything in its place.
const (
	family   = "font-family:Liberation Sans;"
	families = "font-family:Liberation Sans,Arial,Helvetica,sans-serif;"
)

package figure

import (
	"image"
	"image/color"
	"io"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"moncae/internal/arch"
)

// Gallery is a picture of reconstructions: a row of originals, then a row a
// front member with its caption beneath.
type Gallery struct {
	Title string
	Shape arch.Shape // one or three channels are drawn as they are, others by their first channel
	Rows  []GalleryRow
}

// GalleryRow is one line of images, values in [0,1], NCHW.
type GalleryRow struct {
	Caption string
	Images  [][]float32
}

const (
	cell    = 1.45 * vg.Centimeter
	gap     = 0.12 * vg.Centimeter
	caption = 0.42 * vg.Centimeter
	spacing = 0.22 * vg.Centimeter
	margin  = 0.5 * vg.Centimeter
	heading = 0.8 * vg.Centimeter
)

// Draw writes the figure in the format that Format gave.
func (g Gallery) Draw(w io.Writer, format string) error {
	columns := 0
	for _, r := range g.Rows {
		columns = max(columns, len(r.Images))
	}
	cellHeight := cell * vg.Length(g.Shape.H) / vg.Length(g.Shape.W)
	row := cellHeight + caption + spacing
	width := max(2*margin+vg.Length(columns)*(cell+gap)-gap, 11*vg.Centimeter)
	height := 2*margin + heading + vg.Length(len(g.Rows))*row
	return render(w, format, width, height, func(c vgdraw.Canvas) {
		c.SetColor(color.White)
		c.Fill(rectangle(c.Min, c.Max))
		top := c.Max.Y - margin
		c.FillText(style(11, text.YTop), vg.Point{X: c.Min.X + margin, Y: top}, g.Title)
		top -= heading
		for _, r := range g.Rows {
			x := c.Min.X + margin
			for _, img := range r.Images {
				box := vg.Rectangle{Min: vg.Point{X: x, Y: top - cellHeight}, Max: vg.Point{X: x + cell, Y: top}}
				c.DrawImage(box, enlarge(picture(img, g.Shape)))
				x += cell + gap
			}
			c.FillText(style(8, text.YTop), vg.Point{X: c.Min.X + margin, Y: top - cellHeight - 0.06*vg.Centimeter}, r.Caption)
			top -= row
		}
	})
}

func style(size vg.Length, align text.YAlignment) text.Style {
	font := plot.DefaultFont
	font.Size = size
	font.Variant = "Sans"
	return text.Style{Color: ink, Font: font, XAlign: text.XLeft, YAlign: align, Handler: plot.DefaultTextHandler}
}

func rectangle(low, high vg.Point) vg.Path {
	var p vg.Path
	p.Move(low)
	p.Line(vg.Point{X: high.X, Y: low.Y})
	p.Line(high)
	p.Line(vg.Point{X: low.X, Y: high.Y})
	p.Close()
	return p
}

// picture turns CHW values in [0,1] into an image.
func picture(v []float32, s arch.Shape) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, s.W, s.H))
	plane := s.H * s.W
	at := func(c, i int) uint8 {
		if s.C < 3 {
			c = 0
		}
		return uint8(255*min(max(v[c*plane+i], 0), 1) + 0.5)
	}
	for i := range plane {
		img.SetRGBA(i%s.W, i/s.W, color.RGBA{at(0, i), at(1, i), at(2, i), 0xff})
	}
	return img
}

// enlarge repeats pixels, so that no viewer blurs them.
func enlarge(img image.Image) image.Image {
	b := img.Bounds()
	k := max(1, 128/max(b.Dx(), b.Dy()))
	big := image.NewRGBA(image.Rect(0, 0, k*b.Dx(), k*b.Dy()))
	draw.NearestNeighbor.Scale(big, big.Bounds(), img, b, draw.Src, nil)
	return big
}

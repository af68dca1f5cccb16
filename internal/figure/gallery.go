package figure

import (
	"image"
	"image/color"
	"io"
	"slices"

	"golang.org/x/image/draw"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"

	"moncae/internal/arch"
)

// Gallery is a picture of reconstructions: a row of originals, then a row for
// each front member with its caption beneath. Where that would be longer than a
// page, it is set in two columns of smaller rows, the originals above both.
type Gallery struct {
	Title string
	Shape arch.Shape   // one or three channels are drawn as they are, others by their first channel
	Rows  []GalleryRow // the originals first
}

// GalleryRow is one line of images, values in [0,1], NCHW.
type GalleryRow struct {
	Caption string
	Images  [][]float32
}

const (
	margin  = 0.5 * vg.Centimeter
	heading = 0.8 * vg.Centimeter
	page    = 26 * vg.Centimeter
)

// layout is how rows are set: the width of a cell, the gap between two, the
// caption's height and letters, the space to the next row, the least width of a
// column (that of a long caption), and the number of columns.
type layout struct {
	cell, gap, caption, letters, spacing, least vg.Length
	columns                                     int
}

var (
	oneColumn  = layout{1.45 * vg.Centimeter, 0.12 * vg.Centimeter, 0.42 * vg.Centimeter, 8, 0.22 * vg.Centimeter, 11 * vg.Centimeter, 1}
	twoColumns = layout{0.8 * vg.Centimeter, 0.07 * vg.Centimeter, 0.32 * vg.Centimeter, 6, 0.16 * vg.Centimeter, 8.4 * vg.Centimeter, 2}
)

func (l layout) cellHeight(s arch.Shape) vg.Length {
	return l.cell * vg.Length(s.H) / vg.Length(s.W)
}

func (l layout) row(s arch.Shape) vg.Length { return l.cellHeight(s) + l.caption + l.spacing }

// column is the width of a column with that many images in a row.
func (l layout) column(images int) vg.Length {
	return max(l.least, vg.Length(images)*(l.cell+l.gap)-l.gap)
}

// layout gives the layout, and the rows of each column.
func (g Gallery) layout() (layout, [][]GalleryRow) {
	if height := 2*margin + heading + vg.Length(len(g.Rows))*oneColumn.row(g.Shape); height <= page || len(g.Rows) < 3 {
		return oneColumn, [][]GalleryRow{g.Rows}
	}
	originals, members := g.Rows[:1], g.Rows[1:]
	half := (len(members) + 1) / 2
	return twoColumns, [][]GalleryRow{slices.Concat(originals, members[:half]), slices.Concat(originals, members[half:])}
}

// Draw writes the figure in the format that Format gave.
func (g Gallery) Draw(w io.Writer, format string) error {
	images := 0
	for _, r := range g.Rows {
		images = max(images, len(r.Images))
	}
	l, columns := g.layout()
	width := 2*margin + vg.Length(l.columns)*(l.column(images)+margin) - margin
	height := 2*margin + heading + vg.Length(len(columns[0]))*l.row(g.Shape)
	return render(w, format, width, height, func(c vgdraw.Canvas) {
		c.SetColor(color.White)
		c.Fill(rectangle(c.Min, c.Max))
		at := vg.Point{X: c.Min.X + margin, Y: c.Max.Y - margin}
		c.FillText(style(11, text.YTop), at, g.Title)
		at.Y -= heading
		for _, rows := range columns {
			g.draw(c, l, rows, at)
			at.X += l.column(images) + margin
		}
	})
}

// draw draws a column, from its upper left corner on.
func (g Gallery) draw(c vgdraw.Canvas, l layout, rows []GalleryRow, at vg.Point) {
	for _, r := range rows {
		low := at.Y - l.cellHeight(g.Shape)
		for i, img := range r.Images {
			x := at.X + vg.Length(i)*(l.cell+l.gap)
			box := vg.Rectangle{Min: vg.Point{X: x, Y: low}, Max: vg.Point{X: x + l.cell, Y: at.Y}}
			c.DrawImage(box, enlarge(picture(img, g.Shape)))
		}
		c.FillText(style(l.letters, text.YTop), vg.Point{X: at.X, Y: low - 0.06*vg.Centimeter}, r.Caption)
		at.Y -= l.row(g.Shape)
	}
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

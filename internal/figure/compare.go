package figure

import (
	"fmt"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Compare is the picture of several groups of searches: panels of lines, two in a
// row, and one legend.
type Compare struct {
	Title  string
	Groups []string
	Panels []Panel
}

// Panel has a line for each group that has one, and perhaps a band around it.
type Panel struct {
	X, Y     string // what the axes are
	Latent   bool   // X is LOC
	FromZero bool   // so are both axes
	Straight bool   // lines go straight from point to point; else they stay until the next
	Lines    []plotter.XYs
	Bands    [][2]plotter.XYs // from below to above; nil for none
}

// Colours for up to eight of a kind that colour-blind people tell apart (Okabe and
// Ito's); dashes tell them apart too.
var (
	colours = []color.RGBA{
		{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
		{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x8a, 0x8f, 0x00, 0xff}, {0x7b, 0x88, 0x92, 0xff},
	}
	dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(2)}, {vg.Points(2), vg.Points(2)}, {vg.Points(6), vg.Points(2), vg.Points(1), vg.Points(2)}}
)

func lineStyle(i int) draw.LineStyle {
	return draw.LineStyle{Color: colours[i%len(colours)], Width: vg.Points(1.4), Dashes: dashes[i%len(dashes)]}
}

// Draw writes the figure in the format that Format gave.
func (f Compare) Draw(w io.Writer, format string) error {
	const width, panel = 24 * vg.Centimeter, 8.5 * vg.Centimeter
	rows := (len(f.Panels) + 1) / 2
	plots := make([]*plot.Plot, len(f.Panels))
	for i, p := range f.Panels {
		var err error
		if plots[i], err = p.plot(); err != nil {
			return err
		}
	}
	legend := f.legend()
	lines := vg.Length(len(f.Groups)) * 0.5 * vg.Centimeter
	height := 2*margin + heading + vg.Length(rows)*panel + lines
	return render(w, format, width, height, func(c draw.Canvas) {
		c.SetColor(color.White)
		c.Fill(rectangle(c.Min, c.Max))
		c.FillText(style(11, text.YTop), vg.Point{X: c.Min.X + margin, Y: c.Max.Y - margin}, f.Title)
		for i, p := range plots {
			left := c.Min.X + vg.Length(i%2)*width/2
			top := c.Max.Y - margin - heading - vg.Length(i/2)*panel
			p.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: left + margin/2, Y: top - panel + margin/2}, Max: vg.Point{X: left + width/2 - margin/2, Y: top},
			}})
		}
		legend.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X + margin, Y: c.Min.Y + margin}, Max: vg.Point{X: c.Max.X - margin, Y: c.Min.Y + margin + lines},
		}})
	})
}

func (f Compare) legend() plot.Legend {
	l := plot.NewLegend()
	l.TextStyle.Font, l.TextStyle.Color = style(9, 0).Font, ink
	l.Top, l.Left, l.Padding, l.ThumbnailWidth = true, true, vg.Points(4), vg.Points(30)
	for i, name := range f.Groups {
		l.Add(name, &plotter.Line{LineStyle: lineStyle(i)})
	}
	return l
}

func (p Panel) plot() (*plot.Plot, error) {
	out := axes(p.X, p.Y, p.Latent)
	for i, band := range p.Bands {
		if len(band[0]) < 2 {
			continue
		}
		around := append(stairs(band[0]), backwards(stairs(band[1]))...)
		area, err := plotter.NewPolygon(around)
		if err != nil {
			return nil, fmt.Errorf("a band: %w", err)
		}
		shade := colours[i%len(colours)]
		area.Color = color.NRGBA{shade.R, shade.G, shade.B, 0x22}
		area.LineStyle.Width = 0
		out.Add(area)
	}
	for i, xys := range p.Lines {
		if len(xys) == 0 {
			continue
		}
		line, err := plotter.NewLine(xys)
		if err != nil {
			return nil, err
		}
		if line.LineStyle = lineStyle(i); !p.Straight {
			line.StepStyle = plotter.PostStep
		}
		out.Add(line)
	}
	if p.FromZero {
		out.X.Min, out.Y.Min = 0, 0
	}
	return out, nil
}

// stairs are the corners of a line that stays until the next point.
func stairs(xys plotter.XYs) plotter.XYs {
	var s plotter.XYs
	for i, q := range xys {
		if i > 0 {
			s = append(s, plotter.XY{X: q.X, Y: xys[i-1].Y})
		}
		s = append(s, q)
	}
	return s
}

func backwards(xys plotter.XYs) plotter.XYs {
	b := make(plotter.XYs, len(xys))
	for i, q := range xys {
		b[len(xys)-1-i] = q
	}
	return b
}

package figure

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Front is the picture of a search: reconstruction loss against the level of
// compression. X is LOC, log10 of the number of latent values; Y is the loss.
type Front struct {
	Title       string
	Loss        string // what Y is, for example "BCE, nats a value"
	Evaluations plotter.XYs
	Members     plotter.XYs
	PCA         plotter.XYs
	Floor       float64 // the loss below which nothing can go; NaN for none
	Mean        float64 // the loss of the mean image; NaN for none
}

// Draw writes the figure in the format that Format gave.
func (f Front) Draw(w io.Writer, format string) error {
	p := plot.New()
	p.Title.Text = f.Title
	p.X.Label.Text = "level of compression: log10(latent values), and latent values"
	p.Y.Label.Text = f.Loss
	p.Title.TextStyle = style(11, text.YTop)
	p.Title.TextStyle.XAlign = text.XCenter
	p.Title.Padding = vg.Points(8)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = style(10, 0).Font, style(9, 0).Font
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = ink, ink
		axis.Color, axis.Tick.Color = ink, ink
	}
	p.X.Tick.Marker = locTicks{}
	legend := plot.NewLegend()
	legend.TextStyle.Font, legend.TextStyle.Color = style(9, 0).Font, ink
	legend.Top, legend.Left, legend.Padding, legend.ThumbnailWidth = true, true, vg.Points(4), vg.Points(24)
	if err := f.layers(p, &legend); err != nil {
		return err
	}
	f.bound(p)
	return render(w, format, 18*vg.Centimeter, 10*vg.Centimeter, func(c draw.Canvas) {
		c.SetColor(color.White)
		c.Fill(rectangle(c.Min, c.Max))
		c = draw.Crop(c, margin/2, -margin/2, margin/2, -margin/2)
		p.Draw(draw.Crop(c, 0, -legendWidth, 0, 0))
		legend.Draw(draw.Crop(c, c.Max.X-c.Min.X-legendWidth+margin, 0, 0, -heading))
	})
}

const legendWidth = 5 * vg.Centimeter

func (f Front) layers(p *plot.Plot, legend *plot.Legend) error {
	if len(f.Evaluations) > 0 {
		all, err := plotter.NewScatter(f.Evaluations)
		if err != nil {
			return err
		}
		all.GlyphStyle = draw.GlyphStyle{Color: faint, Radius: vg.Points(2), Shape: draw.CircleGlyph{}}
		p.Add(all)
		legend.Add(fmt.Sprintf("all evaluations (%d)", len(f.Evaluations)), all)
	}
	if len(f.PCA) > 0 {
		pca, err := plotter.NewLine(sorted(f.PCA))
		if err != nil {
			return err
		}
		pca.Color, pca.Width, pca.Dashes = rust, vg.Points(1.2), []vg.Length{vg.Points(5), vg.Points(3)}
		p.Add(pca)
		legend.Add("PCA, as many values", pca)
	}
	if len(f.Members) > 0 {
		line, points, err := plotter.NewLinePoints(sorted(f.Members))
		if err != nil {
			return err
		}
		line.Color, line.Width, line.StepStyle = blue, vg.Points(1.4), plotter.PostStep
		points.GlyphStyle = draw.GlyphStyle{Color: blue, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
		p.Add(line, points)
		legend.Add(fmt.Sprintf("front (%d)", len(f.Members)), line, points)
	}
	if !math.IsNaN(f.Floor) {
		floor := plotter.NewFunction(func(float64) float64 { return f.Floor })
		floor.Color, floor.Width = green, vg.Points(1.2)
		p.Add(floor)
		legend.Add("entropy floor of the pixels", floor)
	}
	if !math.IsNaN(f.Mean) {
		mean := plotter.NewFunction(func(float64) float64 { return f.Mean })
		mean.Color, mean.Width, mean.Dashes = ink, vg.Points(0.8), []vg.Length{vg.Points(1), vg.Points(3)}
		p.Add(mean)
		legend.Add("mean image", mean)
	}
	return nil
}

// bound shows the front, PCA, floor and mean image whole; evaluations far above
// the mean image (failed learners) stay outside.
func (f Front) bound(p *plot.Plot) {
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	top := math.Inf(1)
	if !math.IsNaN(f.Mean) {
		top = 1.1 * f.Mean
	}
	for _, layer := range []plotter.XYs{f.Evaluations, f.Members, f.PCA} {
		for _, q := range layer {
			p.X.Min, p.X.Max = math.Min(p.X.Min, q.X), math.Max(p.X.Max, q.X)
			if q.Y <= top {
				p.Y.Min, p.Y.Max = math.Min(p.Y.Min, q.Y), math.Max(p.Y.Max, q.Y)
			}
		}
	}
	for _, y := range []float64{f.Floor, f.Mean} {
		if !math.IsNaN(y) {
			p.Y.Min, p.Y.Max = math.Min(p.Y.Min, y), math.Max(p.Y.Max, y)
		}
	}
	dx, dy := 0.05*(p.X.Max-p.X.Min)+0.02, 0.05*(p.Y.Max-p.Y.Min)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = p.X.Min-dx, p.X.Max+dx, math.Max(0, p.Y.Min-dy), p.Y.Max+dy
}

func sorted(xys plotter.XYs) plotter.XYs {
	s := append(plotter.XYs(nil), xys...)
	sort.Slice(s, func(i, j int) bool { return s[i].X < s[j].X })
	return s
}

// locTicks label the axis with LOC and, beneath, the number of values.
type locTicks struct{}

func (locTicks) Ticks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i, t := range ticks {
		if t.Label != "" {
			ticks[i].Label = fmt.Sprintf("%s\n%.0f", t.Label, math.Pow(10, t.Value))
		}
	}
	return ticks
}

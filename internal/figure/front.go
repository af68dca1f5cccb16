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
	Runs        []RunFront // fronts of several runs, in the place of Members
	PCA         plotter.XYs
	Floor       float64 // the loss below which nothing can go; NaN for none
	Mean        float64 // the loss of the mean image; NaN for none
}

// RunFront is a run's front among those of others.
type RunFront struct {
	Name    string
	Members plotter.XYs
}

// Draw writes the figure in the format that Format gave.
func (f Front) Draw(w io.Writer, format string) error {
	p := axes("LOC: log10 of the number of latent values (beneath: that number)", f.Loss, true)
	p.Title.Text = f.Title
	p.Title.TextStyle = style(11, text.YTop)
	p.Title.TextStyle.XAlign = text.XCenter
	p.Title.Padding = vg.Points(8)
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

// axes is an empty plot.
func axes(x, y string, latent bool) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = style(10, 0).Font, style(9, 0).Font
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = ink, ink
		axis.Color, axis.Tick.Color = ink, ink
	}
	p.X.Label.Padding = vg.Points(6)
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{latent: latent}, ticks{}
	return p
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
		legend.Add(f.evaluations(), all)
	}
	if len(f.PCA) > 0 {
		pca, points, err := plotter.NewLinePoints(sorted(f.PCA))
		if err != nil {
			return err
		}
		shade := rust
		if len(f.Runs) > 0 { // one of theirs is much the same
			shade = ink
		}
		pca.Color, pca.Width, pca.Dashes = shade, vg.Points(1.2), []vg.Length{vg.Points(5), vg.Points(3)}
		points.GlyphStyle = draw.GlyphStyle{Color: shade, Radius: vg.Points(2), Shape: draw.BoxGlyph{}}
		p.Add(pca, points)
		legend.Add("PCA, as many values", pca, points)
	}
	if len(f.Members) > 0 {
		style := draw.LineStyle{Color: blue, Width: vg.Points(1.4)}
		if err := front(p, legend, fmt.Sprintf("front (%d)", len(f.Members)), f.Members, style, draw.CircleGlyph{}); err != nil {
			return err
		}
	}
	for i, r := range f.Runs {
		if err := front(p, legend, fmt.Sprintf("%s (%d)", shortened(r.Name), len(r.Members)), r.Members, lineStyle(i), glyphs[i%len(glyphs)]); err != nil {
			return err
		}
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

// front draws a front's line and members.
func front(p *plot.Plot, legend *plot.Legend, name string, members plotter.XYs, style draw.LineStyle, shape draw.GlyphDrawer) error {
	if len(members) == 0 {
		legend.Add(name, &plotter.Line{LineStyle: style})
		return nil
	}
	line, points, err := plotter.NewLinePoints(sorted(members))
	if err != nil {
		return err
	}
	line.LineStyle, line.StepStyle = style, plotter.PostStep
	points.GlyphStyle = draw.GlyphStyle{Color: style.Color, Radius: vg.Points(3), Shape: shape}
	p.Add(line, points)
	legend.Add(name, line, points)
	return nil
}

var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.PlusGlyph{}, draw.TriangleGlyph{}, draw.SquareGlyph{}, draw.RingGlyph{}, draw.CrossGlyph{}}

// shortened keeps a name within the legend.
func shortened(name string) string {
	const most = 22
	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return name
}

// top is the loss above which evaluations stay outside: those that learned
// nothing would press the others flat.
func (f Front) top() float64 {
	if math.IsNaN(f.Mean) {
		return math.Inf(1)
	}
	return 1.1 * f.Mean
}

func (f Front) evaluations() string {
	above := 0
	for _, q := range f.Evaluations {
		if q.Y > f.top() {
			above++
		}
	}
	if above > 0 {
		return fmt.Sprintf("all trainings (%d, %d above)", len(f.Evaluations), above)
	}
	return fmt.Sprintf("all trainings (%d)", len(f.Evaluations))
}

// bound shows the front, PCA, floor and mean image whole.
func (f Front) bound(p *plot.Plot) {
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	top := f.top()
	layers := []plotter.XYs{f.Evaluations, f.Members, f.PCA}
	for _, r := range f.Runs {
		layers = append(layers, r.Members)
	}
	for _, layer := range layers {
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
	if p.X.Min > p.X.Max { // nothing was trained
		p.X.Min, p.X.Max = 0, 1
	}
	if p.Y.Min > p.Y.Max {
		p.Y.Min, p.Y.Max = 0, 1
	}
	dx, dy := 0.05*(p.X.Max-p.X.Min)+0.02, 0.05*(p.Y.Max-p.Y.Min)+1e-4
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = p.X.Min-dx, p.X.Max+dx, math.Max(0, p.Y.Min-dy), p.Y.Max+dy
}

func sorted(xys plotter.XYs) plotter.XYs {
	s := append(plotter.XYs(nil), xys...)
	sort.Slice(s, func(i, j int) bool { return s[i].X < s[j].X })
	return s
}

// ticks are four to eight round numbers; latent adds, beneath, the number of
// values that a LOC stands for.
type ticks struct{ latent bool }

func (t ticks) Ticks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, k := range []float64{5, 2} {
		if (high-low)/(k*step) >= 4 {
			step *= k
			break
		}
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var marks []plot.Tick
	for i := math.Ceil(low/step) + 0; i*step <= high; i++ { // + 0: what is rounded up to −0 is 0
		label := fmt.Sprintf("%.*f", digits, i*step)
		if t.latent {
			label += fmt.Sprintf("\n%.0f", math.Pow(10, i*step))
		}
		marks = append(marks, plot.Tick{Value: i * step, Label: label})
	}
	return marks
}

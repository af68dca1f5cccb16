package export

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"moncae/internal/arch"
	"moncae/internal/markdown"
	"moncae/internal/onnx"
)

//go:embed card.md.tmpl
var cardText string

var cardTemplate = template.Must(template.New("card").Funcs(template.FuncMap{"text": markdown.Text, "code": markdown.Code}).Parse(cardText))

// card is the model card, README.md.
func (c candidate) card(dtype onnx.Type, r Result) ([]byte, error) {
	in, latent := c.Arch.Input, c.Arch.Latent()
	view := struct {
		candidate
		In, Latent arch.Shape
		Ratio      string
		DType      string
		Float16    bool
		Place      string
		Goals      []string
		Columns    []string
		Rows       [][]string
		Checks     []string
		Quality    Quality
		Files      []File
		Encoder    []string
		Decoder    []string
		Preprocess string
	}{
		candidate: c, In: in, Latent: latent,
		Ratio: number(float64(in.Values()) / float64(latent.Values())),
		DType: dtype.String(), Float16: dtype == onnx.Float16,
		Goals: goals(c.Objectives), Files: r.Files, Quality: r.Quality,
		Encoder: describeStack(c.Arch.Encoder, in), Decoder: describeStack(c.Arch.Decoder, latent),
		Preprocess: string(c.Preprocess),
	}
	if c.Place > 0 {
		view.Place = fmt.Sprintf("Place %d of %d on the front, counted from the smallest latent.", c.Place, c.Members)
	}
	view.Columns, view.Rows = c.table()
	for _, k := range r.Checks {
		line := fmt.Sprintf("%s in %s: largest difference %.2g over %d images (tolerance %.2g)", k.Model, k.Runtime, k.Difference, k.Images, k.Tolerance)
		if k.Skipped != "" {
			line = fmt.Sprintf("%s in %s: not compared, %s", k.Model, k.Runtime, k.Skipped)
		}
		view.Checks = append(view.Checks, line)
	}
	var out bytes.Buffer
	err := cardTemplate.Execute(&out, view)
	return out.Bytes(), err
}

// cardMetrics are the metrics of the card's table in order, and what they are
// called there.
var cardMetrics = []struct{ key, label string }{
	{"values", "latent values"}, {"loc", "LOC, log10 of the latent values"}, {"ratio", "image values a latent value"},
	{"bce", "BCE, nats"}, {"excess_bce", "BCE above the entropy floor"}, {"mse", "MSE"}, {"psnr", "PSNR, dB"}, {"ssim", "SSIM"},
	{"params", "parameters"}, {"flops", "multiply-adds an image"}, {"epochs", "epochs of training"},
}

// table lists the metrics, the known first, beside the baselines that have any.
func (c candidate) table() (columns []string, rows [][]string) {
	names := slices.Sorted(maps.Keys(c.Baselines))
	for _, n := range names {
		columns = append(columns, strings.ReplaceAll(n, "_", " "))
	}
	metrics, known := finite(c.Metrics), map[string]bool{}
	row := func(key, label string) {
		cells := []string{label, number(metrics[key])}
		for _, n := range names {
			cell := "–"
			if v, ok := finite(c.Baselines[n])[key]; ok {
				cell = number(v)
			}
			cells = append(cells, cell)
		}
		rows = append(rows, cells)
	}
	for _, m := range cardMetrics {
		known[m.key] = true
		if _, ok := metrics[m.key]; ok {
			row(m.key, m.label)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(metrics)) {
		if !known[key] {
			row(key, key)
		}
	}
	return columns, rows
}

func goals(objectives map[string]float64) []string {
	var lines []string
	objectives = finite(objectives)
	for _, name := range slices.Sorted(maps.Keys(objectives)) {
		lines = append(lines, fmt.Sprintf("%s %s", name, number(objectives[name])))
	}
	return lines
}

// number writes integers whole and others with four digits.
func number(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%d", int64(v))
	}
	return fmt.Sprintf("%.4g", v)
}

// describeStack says a stack in a line a layer.
func describeStack(s arch.Stack, in arch.Shape) []string {
	shapes, err := s.Shapes(in)
	if err != nil {
		panic("export: not validated: " + err.Error())
	}
	var lines []string
	for i, l := range s {
		text := string(l.Kind)
		switch l.Kind {
		case arch.Conv:
			text = fmt.Sprintf("conv %d×%d, stride %d", l.Kernel, l.Kernel, l.Stride)
		case arch.Transpose:
			text = fmt.Sprintf("transposed conv %d×%d, stride 2", l.Kernel, l.Kernel)
		case arch.Activate:
			text = string(l.Activation)
		case arch.Dropout:
			text = fmt.Sprintf("dropout %v", l.Rate)
		case arch.Add:
			text = fmt.Sprintf("add the output of line %d", l.From)
			if l.From == 0 {
				text = "add the input"
			}
		}
		lines = append(lines, fmt.Sprintf("%s → %v", text, shapes[i+1]))
	}
	return lines
}

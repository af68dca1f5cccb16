// Package view is what a person sees of a run: the table of its front, the
// picture of it, the gallery, and the page. It reads runs (internal/run) and lays
// nothing out itself: figure draws, report writes pages.
//
// Costs: a table or a page's data is the journal's size in work; pictures cost a
// forward pass a member and fitting a PCA, seconds on a large data set.
package view

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/plotter"

	"moncae/internal/figure"
	"moncae/internal/report"
	"moncae/internal/run"
)

// Used is what classify measured of a run's candidates.
type Used struct {
	Tables []report.Table
	Heads  []report.Head
}

// Page is a run's page. Pictures without members make one without any.
func Page(r *run.Run, f run.Front, pictures Pictures, used Used) (p report.Page, err error) {
	p = report.Page{Title: "Autoencoders for " + f.Data, Subtitle: Subtitle(r, f), Members: membersTable(r.Path, f), Facts: facts(r, f), Data: Data(r, f)}
	var b bytes.Buffer
	if err := FrontFigure(r, f).Draw(&b, "svg"); err != nil {
		return p, err
	}
	p.Front = bytes.Clone(b.Bytes())
	if len(pictures.Members) > 0 {
		b.Reset()
		if err := pictures.Gallery().Draw(&b, "png"); err != nil {
			return p, err
		}
		p.Gallery = b.Bytes()
	}
	if p.Data.Members, err = pictures.panels(r); err != nil {
		return p, err
	}
	p.Data.Heads = append(p.Data.Heads, used.Heads...)
	p.Tables = append(used.Tables, generationsTable(r))
	for _, c := range r.Candidates {
		if c.Failure != "" {
			p.Failures = append(p.Failures, [2]string{c.ID, c.Failure})
		}
	}
	return p, nil
}

// FrontFigure is the front with all trainings and PCA's curve.
func FrontFigure(r *run.Run, f run.Front) figure.Front {
	fig := figure.Front{
		Title: fmt.Sprintf("%s, seed %d, %d trainings", f.Data, f.Seed, f.Evaluations),
		Loss:  "BCE on validation images, nats a value", Floor: f.Floor.BCE, Mean: f.MeanImage.BCE,
	}
	for _, c := range r.Candidates {
		if c.Search != nil {
			fig.Evaluations = append(fig.Evaluations, plotter.XY{X: math.Log10(float64(c.Latent.Values())), Y: c.Search.Figures.BCE})
		}
	}
	for _, m := range f.Members {
		fig.Members = append(fig.Members, plotter.XY{X: m.LOC, Y: m.BCE})
		if m.PCA != nil {
			fig.PCA = append(fig.PCA, plotter.XY{X: m.LOC, Y: m.PCA.BCE})
		}
	}
	return fig
}

func membersTable(path string, f run.Front) *report.Table {
	t := &report.Table{
		Title: "Members",
		Rows:  make([][]string, len(f.Members)),
		Notes: []string{
			"Measured on validation images, on which the members were selected. PCA has the same number of values.",
			fmt.Sprintf("Mean image: BCE %.4f, MSE %.5f. Entropy floor: BCE %.4f, which no reconstruction can be below; excess is BCE over it.", f.MeanImage.BCE, f.MeanImage.MSE, f.Floor.BCE),
		},
	}
	t.Notes = append(t.Notes, Verdict(path, f)...)
	for _, c := range Columns {
		if c.Head == Divider {
			continue
		}
		t.Head = append(t.Head, c.Head)
		for i, m := range f.Members {
			t.Rows[i] = append(t.Rows[i], c.Cell(m, f))
		}
	}
	return t
}

func generationsTable(r *run.Run) report.Table {
	t := report.Table{Title: "Generations", Head: []string{"generation", "hypervolume", "seconds", "training", "validating", "idle"},
		Notes: []string{"Training, validating and idle are seconds of all workers together."}}
	for _, g := range r.Generations {
		t.Rows = append(t.Rows, []string{strconv.Itoa(g.Generation + 1), Fixed(g.Hypervolume, 4), Fixed(g.Times.Wall, 1), Fixed(g.Times.Train, 1), Fixed(g.Times.Validate, 1), Fixed(g.Times.Idle, 1)})
	}
	return t
}

func facts(r *run.Run, f run.Front) [][2]string {
	m, c := r.Manifest, r.Config
	state := "finished"
	if !r.Finished {
		state = fmt.Sprintf("not finished: generation %d of %d", len(r.Generations), c.Generations)
	}
	return [][2]string{
		{"run", m.Run}, {"folder", r.Path}, {"state", state}, {"moncae", m.Moncae}, {"seed", strconv.FormatUint(m.Seed, 10)},
		{"data", fmt.Sprintf("%s, %d training images of %v, %d of them for validation", m.Data.Name, m.Data.TrainRows, m.Data.Shape, len(m.ValidationIDs))},
		{"fingerprint", m.Data.Fingerprint},
		{"reference", Reference(f.Objectives, f.Reference)},
		{"search", fmt.Sprintf("%s, %s space of at most %d blocks and %d filters, population %d, %d generations", c.Algorithm, c.Space.Name, c.Space.MaxBlocks, c.Space.MaxFilters, c.Population, c.Generations)},
		{"training", fmt.Sprintf("at most %s, patience %d, batch %d, %s%s; finetuning %s", Epochs(c.Epochs), c.Patience, c.Batch, c.Loss, noise(c.Denoise), finetuning(c.Finetune))},
		{"forecasts", cmp.Or(Forecasts(f), "none")},
		{"time", Fixed(r.Seconds, 0) + " s"}, {"openings of test data", strconv.Itoa(r.TestOpenings)},
	}
}

func noise(sigma float64) string {
	if sigma == 0 {
		return ""
	}
	return fmt.Sprintf(", images with noise of %g", sigma)
}

// Forecasts tells how good forecasts of trainings were; "" where none was made.
func Forecasts(f run.Front) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f.Calibration)) {
		c := f.Calibration[name]
		parts = append(parts, fmt.Sprintf("%s, rank correlation %.2f over %d trainings", name, c.RankCorrelation, c.Trainings))
	}
	return strings.Join(parts, "; ")
}

func finetuning(f run.Finetune) string {
	switch {
	case f.Epochs == 0:
		return "none"
	case f.Trial == 0:
		return fmt.Sprintf("%s (%s)", Epochs(f.Epochs), f.Scope)
	}
	return fmt.Sprintf("%s after a trial of %d (%s)", Epochs(f.Epochs), f.Trial, f.Scope)
}

// Reference names a reference point's numbers.
func Reference(objectives []string, point []float64) string {
	parts := make([]string, len(point))
	for i, v := range point {
		parts[i] = fmt.Sprintf("%s %.4g", objectives[i], v)
	}
	return strings.Join(parts, ", ")
}

// Epochs counts epochs.
func Epochs(n int) string { return counted(n, "epoch") }

// Values counts values of a latent.
func Values(n int) string { return counted(n, "value") }

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Fixed is v with so many digits behind the point.
func Fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

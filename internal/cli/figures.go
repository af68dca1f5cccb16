package cli

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"moncae/internal/run"
	"slices"

	"github.com/spf13/cobra"
	"gonum.org/v1/plot/plotter"

	"moncae/internal/dataset"
	"moncae/internal/figure"
)

// drawFront writes the picture of a front with all evaluations behind it.
func (a *app) drawFront(path string, r *run.Run, f run.Front) error {
	format, err := figure.Format(path)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := frontFigure(r, f).Draw(&b, format); err != nil {
		return err
	}
	return a.output(path, b.Bytes())
}

func frontFigure(r *run.Run, f run.Front) figure.Front {
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

// drawGallery writes validation images as every member reconstructs them.
func (a *app) drawGallery(cmd *cobra.Command, r *run.Run, f run.Front, o *frontOptions) error {
	format, err := figure.Format(o.gallery)
	if err != nil {
		return err
	}
	gallery, err := a.gallery(cmd, r, f, o)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := gallery.Draw(&b, format); err != nil {
		return err
	}
	return a.output(o.gallery, b.Bytes())
}

func (a *app) gallery(cmd *cobra.Command, r *run.Run, f run.Front, o *frontOptions) (g figure.Gallery, err error) {
	set, err := r.Images(cmd.Context(), o.data.name, o.data.options)
	if err != nil {
		return g, err
	}
	eng, err := a.openEngine(o.device)
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	loaded, err := r.Load(eng, set)
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, loaded.Close()) }()
	rows := varied(set, r.Validation(set), max(1, o.images))
	g = figure.Gallery{Title: fmt.Sprintf("Validation images of %s, and what the front makes of them", f.Data), Shape: set.Shape}
	for _, m := range f.Members {
		out, err := loaded.Forward(m.ID, rows)
		if err != nil {
			return g, err
		}
		if len(g.Rows) == 0 {
			g.Rows = append(g.Rows, figure.GalleryRow{Caption: fmt.Sprintf("originals · %v · %d values", set.Shape, set.Shape.Values()), Images: split(out.Images, len(rows))})
		}
		g.Rows = append(g.Rows, figure.GalleryRow{
			Caption: fmt.Sprintf("%s · latent %v · %d values (%.1f×) · LOC %.2f · BCE %.4f · %.1f dB", m.ID, m.Latent, m.Values, m.Ratio, m.LOC, m.BCE, m.PSNR),
			Images:  split(out.Outputs, len(rows)),
		})
	}
	return g, nil
}

// varied picks n of the rows: of each class in turn, or, without classes or with
// more than n, at even distances.
func varied(set *dataset.Set, rows []int32, n int) []int32 {
	n = min(n, len(rows))
	classes := map[int32][]int32{}
	for _, r := range rows {
		label := int32(-1)
		if set.Labels != nil {
			label = set.Labels[r]
		}
		classes[label] = append(classes[label], r)
	}
	labels := slices.Sorted(maps.Keys(classes))
	picked := make([]int32, 0, n)
	if len(labels) == 1 || len(labels) > n {
		var all []int32
		for _, label := range labels {
			all = append(all, classes[label]...)
		}
		for i := range n {
			picked = append(picked, all[(2*i+1)*len(all)/(2*n)])
		}
		return picked
	}
	for i := 0; len(picked) < n; i++ {
		for _, label := range labels {
			if i < len(classes[label]) && len(picked) < n {
				picked = append(picked, classes[label][i])
			}
		}
	}
	return picked
}

// split cuts v into n equal parts.
func split(v []float32, n int) [][]float32 {
	parts := make([][]float32, n)
	for i := range parts {
		parts[i] = v[i*len(v)/n : (i+1)*len(v)/n]
	}
	return parts
}

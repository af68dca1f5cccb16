package view

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot/plotter"

	"moncae/internal/fault"
	"moncae/internal/figure"
	"moncae/internal/run"
)

// NamedFront is a run's front among those of others.
type NamedFront struct {
	Name string
	Run  *run.Run
	run.Front
}

// NameFronts names runs by their folders, or by their paths where folders have the
// same name. Runs of different data are refused.
func NameFronts(runs []*run.Run, fronts []run.Front) ([]NamedFront, error) {
	all := make([]NamedFront, len(runs))
	taken := map[string]int{}
	for i, r := range runs {
		if d, first := r.Manifest.Data, runs[0].Manifest.Data; d.Fingerprint != first.Fingerprint {
			return nil, fault.Usagef("%s is of %s, %s of %s, other data: their fronts can't be shown together", runs[0].Path, first.Name, r.Path, d.Name)
		}
		all[i] = NamedFront{filepath.Base(r.Path), r, fronts[i]}
		taken[all[i].Name]++
	}
	for i, r := range runs {
		if taken[all[i].Name] > 1 {
			all[i].Name = r.Path
		}
	}
	return all, nil
}

// FrontsFigure draws fronts in one picture. PCA, floor and mean image are of one of
// the runs' splits: PCA of the first that has so many values, the least floor, and
// the largest loss of a mean image.
func FrontsFigure(fronts []NamedFront) figure.Front {
	f := figure.Front{
		Title: fmt.Sprintf("%s, %d runs", fronts[0].Data, len(fronts)), Loss: "BCE on validation images, nats a value",
		Floor: math.Inf(1), Mean: math.Inf(-1),
	}
	for _, one := range fronts {
		r := figure.RunFront{Name: one.Name}
		for _, m := range one.Members {
			r.Members = append(r.Members, plotter.XY{X: m.LOC, Y: m.BCE})
			if m.PCA != nil && !slices.ContainsFunc(f.PCA, func(q plotter.XY) bool { return q.X == m.LOC }) {
				f.PCA = append(f.PCA, plotter.XY{X: m.LOC, Y: m.PCA.BCE})
			}
		}
		f.Runs = append(f.Runs, r)
		f.Floor, f.Mean = min(f.Floor, one.Floor.BCE), max(f.Mean, one.MeanImage.BCE)
	}
	return f
}

package view

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"

	"moncae/internal/compare"
	"moncae/internal/figure"
	"moncae/internal/run"
)

// CompareFigure draws the medians and quartiles of the groups' hypervolumes over what
// was spent, and what half of their runs attain.
func CompareFigure(c Comparison) figure.Compare {
	f := figure.Compare{Title: "Hypervolume to " + c.ReferenceText() + ", before finetuning: median and quartiles over runs"}
	for _, g := range c.Groups {
		f.Groups = append(f.Groups, fmt.Sprintf("%s (%d)", g.Name, len(g.Runs)))
	}
	names := map[string]string{compare.Trainings: "trainings", compare.Steps: "training steps", compare.Seconds: "seconds"}
	for _, axis := range compare.Axes {
		p := figure.Panel{X: names[axis], Y: "hypervolume", FromZero: true}
		for _, g := range c.Groups {
			var line plotter.XYs
			var band [2]plotter.XYs
			for _, b := range g.Over(axis) {
				line = append(line, plotter.XY{X: b.Spent, Y: b.Median})
				band[0], band[1] = append(band[0], plotter.XY{X: b.Spent, Y: b.Low}), append(band[1], plotter.XY{X: b.Spent, Y: b.High})
			}
			p.Lines, p.Bands = append(p.Lines, line), append(p.Bands, band)
		}
		f.Panels = append(f.Panels, p)
	}
	if p := attained(c); p.X != "" {
		f.Panels = append(f.Panels, p)
	}
	return f
}

// attained is a panel of the median attainment surfaces, each drawn to the largest
// size of all; nothing where there are none.
func attained(c Comparison) (p figure.Panel) {
	largest, some := math.Inf(-1), false
	for _, g := range c.Groups {
		var line plotter.XYs
		for _, q := range g.Median().Points {
			line = append(line, plotter.XY{X: q[1], Y: q[0]})
			largest, some = max(largest, q[1]), true
		}
		p.Lines = append(p.Lines, line)
	}
	if !some {
		return figure.Panel{}
	}
	for i, line := range p.Lines {
		if n := len(line); n > 0 {
			p.Lines[i] = append(line, plotter.XY{X: largest, Y: line[n-1].Y})
		}
	}
	p.Y, p.X = c.Objectives[0]+", attained by half of the runs", c.Objectives[1]
	if c.Objectives[1] == run.ObjectiveLOC {
		p.X, p.Latent = "LOC (beneath: number of values)", true
	}
	return p
}

package search

import (
	"math"

	"moncae/internal/baseline"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/search/genome"
	"moncae/search/surrogate"
)

// lossTarget is the scale on which a loss is guessed: from what the mean image
// gets down to the pixels' entropy, below which no BCE is.
func lossTarget(blend graph.Blend, mean baseline.Loss, floor float64) surrogate.Target {
	return surrogate.Target{Nothing: blend.Of(mean.BCE, mean.MSE, mean.Similarity), Floor: blend.BCE * floor}
}

// Observations are the features of all candidates of a run that were trained, and
// the levels of their losses; a failed training's is the worst. Where children inherit
// weights, a row has the feature Inherited too (surrogate.Prior.Inheriting).
func Observations(r *Run) (features [][]float64, levels []float64, err error) {
	blend, err := r.Config.Loss.Blend()
	if err != nil {
		return nil, nil, err
	}
	t := lossTarget(blend, r.Front.MeanImage, r.Front.Floor.BCE)
	for _, c := range r.Candidates {
		if c.Network == nil {
			continue
		}
		n, _, err := r.Config.Space.Decode(c.Genome, r.Manifest.Data.Shape, genome.Limits{})
		if err != nil {
			return nil, nil, err
		}
		loss := math.NaN()
		if c.Search != nil {
			loss = c.Search.Values[run.ObjectiveLoss]
		}
		x := surrogate.Features(n, c.Recipe, c.Genome.Rate)
		if r.Config.Inherit {
			x = append(x, c.Inherited.Feature(r.Config.Epochs, n.Latent().Values()))
		}
		features = append(features, x)
		levels = append(levels, t.Level(loss))
	}
	return features, levels, nil
}

package classify

import (
	"context"
	"fmt"

	"moncae/internal/pca"
	"moncae/internal/run"
	"moncae/internal/score"
)

// codes are principal components of a run's images, as many as its largest
// latent has values, and the head's scores on the first k of them: members of one
// size share a score.
type codes struct {
	k           int // 0 where no member is so small
	train, test []float32
	components  pca.Components
	scores      map[int]*scoredFeatures
}

func codesFor(members []run.Trained, most int) codes {
	c := codes{scores: map[int]*scoredFeatures{}}
	for _, m := range members {
		if k := m.Arch.Latent().Values(); k <= most {
			c.k = max(c.k, k)
		}
	}
	return c
}

// besidePCA puts the member at hand beside the head on as many components; nil
// where the images don't have so many.
func (j *memberClassification) besidePCA(ctx context.Context, latents score.Score) (*score.Baseline, error) {
	c, k := &j.codes, j.train.Shape.Values()
	if k > c.k {
		return nil, nil
	}
	if c.train == nil {
		j.watch.see("pca", 0, 1)
		c.components = pca.Fit(j.images.train, j.images.shape.Values(), c.k)
		c.train, c.test = c.components.Codes(j.images.train), c.components.Codes(j.images.test)
	}
	if c.scores[k] == nil {
		stage := fmt.Sprintf("pca %d", k)
		s, err := j.headOnFeatures(ctx, stage, componentFeatures(c.components, k, c.first(c.train, k), c.first(c.test, k)))
		if err != nil {
			return nil, fmt.Errorf("baseline %s: %w", stage, err)
		}
		c.scores[k] = s
	}
	return c.scores[k].beside(latents), nil
}

// first are the first k codes of each row.
func (c *codes) first(all []float32, k int) []float32 {
	if k == c.k {
		return all
	}
	out := make([]float32, 0, len(all)/c.k*k)
	for at := 0; at < len(all); at += c.k {
		out = append(out, all[at:at+k]...)
	}
	return out
}

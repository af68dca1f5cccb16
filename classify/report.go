package classify

import (
	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/head"
	"moncae/internal/score"
)

// The report's format (docs/format/json.md).
const (
	ReportFormat  = "moncae.classify"
	ReportVersion = 1
)

// Report is what `classify --json` prints and report.json holds.
type Report struct {
	Format      string    `json:"format"`
	Version     int       `json:"version"`
	Head        head.Kind `json:"head"`
	score.Score           // of head.onnx on the test latents
	// Latent is [C, H, W]; Values their product.
	Latent    arch.Shape `json:"latent"`
	Values    int        `json:"values"`
	Encoder   string     `json:"encoder"` // hash; "" where the latents don't say
	TrainRows int        `json:"train_rows"`
	Fit       head.Fit   `json:"fit"`
	Provider  string     `json:"provider"` // of ONNX Runtime, for the head
	// Pipeline is null without encoder or images.
	Pipeline *Pipeline `json:"pipeline"`
	// Baselines is null where none were asked for.
	Baselines *Baselines `json:"baselines"`
	// TestOpenings counts how often test data was opened for the run that the
	// encoder comes from, this time included; null where no run is known.
	TestOpenings *int        `json:"test_openings"`
	Engine       engine.Info `json:"engine"` // that trained the heads
	Seed         uint64      `json:"seed"`
	Seconds      float64     `json:"seconds"`
	// Notes say what keeps the figures from meaning what they seem to.
	Notes []string `json:"notes,omitempty"`

	pipeline bool // pipeline.onnx was written
}

func (t *classification) report() *Report {
	return &Report{
		Format: ReportFormat, Version: ReportVersion, Head: t.Head,
		Latent: t.train.Shape, Values: t.train.Shape.Values(), Encoder: t.train.meta.Encoder, TrainRows: t.train.rows(),
		TestOpenings: t.openings, Engine: t.Engine.Info(), Seed: t.Seed, Notes: t.notes(),
	}
}

// Baselines are what the same head gets from other features of the same images.
// PCA is null where there are fewer values or training images than components.
type Baselines struct {
	PCA    *score.Baseline `json:"pca"`
	Random *score.Baseline `json:"random"`
	Pixels *score.Baseline `json:"pixels"`
}

// All are the baselines that there are.
func (b *Baselines) All() []*score.Baseline {
	var all []*score.Baseline
	for _, one := range []*score.Baseline{b.PCA, b.Random, b.Pixels} {
		if one != nil {
			all = append(all, one)
		}
	}
	return all
}

// HasPipeline tells whether pipeline.onnx was written.
func (r *Report) HasPipeline() bool { return r.pipeline }

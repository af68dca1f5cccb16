package run

import (
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/metric"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// Candidate is one evaluated genome, as the journal has it.
type Candidate struct {
	ID         string   `json:"id"` // g<generation>-<index>
	Generation int      `json:"generation"`
	Index      int      `json:"index"`
	Origin     string   `json:"origin"` // algorithm.OriginRandom, OriginChild or OriginGiven
	Parents    []string `json:"parents,omitempty"`
	// Inherited is what its training began with; nil: with weights that were drawn.
	Inherited *algorithm.Inherited `json:"inherited,omitempty"`
	Genome    genome.Genome        `json:"genome"`
	// Forecast is what a model expected of it; nil where none was asked.
	Forecast *algorithm.Forecast `json:"forecast,omitempty"`
	// Failure is why there is no score; "" where there is one.
	Failure string `json:"failure,omitempty"`
	// What follows is there where the genome makes a network that may be trained.
	Identity string       `json:"identity,omitempty"` // arch.Identity
	Recipe   arch.Recipe  `json:"recipe,omitzero"`
	Latent   arch.Shape   `json:"latent,omitzero"`
	Params   int          `json:"params,omitempty"`
	FLOPs    int64        `json:"flops,omitempty"`
	Network  *rundir.File `json:"network,omitempty"`
	Search   *Result      `json:"result,omitempty"` // of the search's training
	Steps    int          `json:"steps,omitempty"`  // of the search's training, a failed one too
	Seconds  float64      `json:"seconds,omitempty"`
	// Rungs are the validation losses at the rungs of its training, as far as it came,
	// and Stopped tells that the last of them ended it.
	Rungs   []float64 `json:"rungs,omitempty"`
	Stopped bool      `json:"stopped,omitempty"`
	// Finetuned is the result of the last finetuning that won; it has records of its own.
	Finetuned *Result `json:"-"`
}

// Result is what a training came to, on validation images.
type Result struct {
	Figures   Figures       `json:"figures"`
	Values    Values        `json:"objectives"`
	Epochs    int           `json:"epochs"` // those that led to the weights, in all trainings
	BestEpoch int           `json:"best_epoch"`
	History   []train.Epoch `json:"history"`
	Weights   rundir.File   `json:"weights"`
}

// Figures measure reconstructions; means over all values, SSIM over images.
type Figures struct {
	BCE  float64 `json:"bce"` // nats
	MSE  float64 `json:"mse"`
	PSNR float64 `json:"psnr"` // metric.PSNR
	SSIM float64 `json:"ssim"`
}

// FiguresOf are an engine's measurements and the structural similarity.
func FiguresOf(m engine.Metrics, ssim float64) Figures {
	return Figures{BCE: m.BCE, MSE: m.MSE, PSNR: metric.PSNR(m.MSE), SSIM: ssim}
}

// Best is the result that counts: the finetuned one, else the search's; nil for
// a failed candidate.
func (c *Candidate) Best() *Result {
	if c.Finetuned != nil {
		return c.Finetuned
	}
	return c.Search
}

// CandidateID names the candidate at a place of a generation.
func CandidateID(generation, index int) string { return fmt.Sprintf("g%d-%d", generation, index) }

// GenerationOf is the generation that an id names; −1 for no id.
func GenerationOf(id string) int {
	var generation, index int
	if _, err := fmt.Sscanf(id, "g%d-%d", &generation, &index); err != nil {
		return -1
	}
	return generation
}

// FinetunedFile is the name of a round's weights; older rounds' files stay, for
// the journal vouches for them.
func FinetunedFile(round int) string {
	if round == 0 {
		return rundir.FinetunedFile
	}
	return fmt.Sprintf("finetuned-%d.safetensors", round)
}

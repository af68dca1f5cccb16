package search

import (
	"math"
	"time"
)

// Observer hears of a study's events, one at a time, from several goroutines. It
// must not call the study.
type Observer func(Event)

// Event is one of the types below.
type Event interface{ event() }

type (
	// GenerationStarted comes before a generation's candidates. Known are places
	// that candidates evaluated before take (elites, duplicates, and what was done
	// before a resume).
	GenerationStarted struct {
		Generation, Of  int
		ToTrain, Known  int
		ImagesPerEpoch  int
		Epochs, Refused int
	}
	// CandidateStarted comes when a training begins; Finetuning is one after the search.
	CandidateStarted struct {
		Candidate  *Candidate
		Finetuning bool
	}
	// Trained comes now and then during a training.
	Trained struct {
		ID     string
		Images int // since the last
	}
	// CandidateFinished comes when a candidate is in the journal. After a
	// finetuning, Improved tells whether it has new weights.
	CandidateFinished struct {
		Candidate  *Candidate
		Finetuning bool
		Improved   bool
	}
	// GenerationFinished comes when a generation and its front are on the disk.
	GenerationFinished struct {
		Generation, Of int
		Front          Front
		Times          Times
	}
	// FinetuneStarted comes before a round of finetuning of so many candidates; the
	// search's own are those below Of.
	FinetuneStarted struct{ Round, Of, Candidates, Epochs, ImagesPerEpoch int }
	// FinetuneFinished comes when all of them are on the disk.
	FinetuneFinished struct{ Times Times }
)

func (GenerationStarted) event()  {}
func (CandidateStarted) event()   {}
func (Trained) event()            {}
func (CandidateFinished) event()  {}
func (GenerationFinished) event() {}
func (FinetuneStarted) event()    {}
func (FinetuneFinished) event()   {}

// Times are seconds of work, summed over what ran side by side, but Wall.
type Times struct {
	Build    float64 `json:"build"` // graphs and gradients
	Compile  float64 `json:"compile"`
	Train    float64 `json:"train"`
	Validate float64 `json:"validate"`
	Store    float64 `json:"store"` // weights and journal
	Idle     float64 `json:"idle"`  // of workers that had nothing left to do
	Wall     float64 `json:"wall"`
}

func (t *Times) add(o Times) {
	t.Build += o.Build
	t.Compile += o.Compile
	t.Train += o.Train
	t.Validate += o.Validate
	t.Store += o.Store
}

// rounded keeps milliseconds, which sums of floats lose.
func (t Times) rounded() Times {
	for _, p := range []*float64{&t.Build, &t.Compile, &t.Train, &t.Validate, &t.Store, &t.Idle, &t.Wall} {
		*p = math.Round(1000**p) / 1000
	}
	return t
}

// seconds are kept to the millisecond.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

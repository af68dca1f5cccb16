package search

import (
	"moncae/internal/run"
	"moncae/internal/train"
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
		Epochs     int // at most
	}
	// Trained comes now and then during a training.
	Trained struct {
		ID     string
		Images int // since the last
	}
	// EpochFinished comes after each epoch's validation.
	EpochFinished struct {
		ID    string
		Epoch int // from 1
		Loss  train.Epoch
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
		Times          run.Times
	}
	// FinetuneStarted comes before a round of finetuning of so many candidates; the
	// search's own are those below Of.
	FinetuneStarted struct{ Round, Of, Candidates, Epochs, ImagesPerEpoch int }
	// FinetuneFinished comes when all of them are on the disk.
	FinetuneFinished struct{ Times run.Times }
	// Decided comes when the clock of a search for a time has decided.
	Decided struct{ run.Clock }
	// Status comes about once a second while candidates are trained.
	Status struct{ run.Live }
)

func (GenerationStarted) event()  {}
func (CandidateStarted) event()   {}
func (Trained) event()            {}
func (EpochFinished) event()      {}
func (CandidateFinished) event()  {}
func (GenerationFinished) event() {}
func (FinetuneStarted) event()    {}
func (FinetuneFinished) event()   {}
func (Decided) event()            {}
func (Status) event()             {}

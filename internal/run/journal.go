package run

import (
	"math"
	"time"

	"moncae/internal/engine"
)

// The kinds of the journal's records beside rundir's own.
const (
	kindSession    = "session"    // a process began to work on the run
	kindCandidate  = "candidate"  // a candidate is done
	kindGeneration = "generation" // a generation is done
	kindFinetune   = "finetune"   // a candidate's finetuning is done
	kindClock      = "clock"      // a search for a time has decided

	kindConvolutions = "convolutions" // a session is over, and its engine chose how convolutions were computed
)

// Entry is one of *Candidate, Session, Generation, Finetuning, Clock and Convolutions.
type Entry interface{ kind() string }

func (Session) kind() string    { return kindSession }
func (*Candidate) kind() string { return kindCandidate }
func (Generation) kind() string { return kindGeneration }
func (Finetuning) kind() string { return kindFinetune }
func (Clock) kind() string      { return kindClock }

func (Convolutions) kind() string { return kindConvolutions }

// Record is an entry as the journal has it, with the time since its session began.
func Record(elapsed time.Duration, e Entry) (kind string, data any) {
	return e.kind(), struct {
		Elapsed float64 `json:"elapsed"`
		Event   Entry   `json:"event"`
	}{Seconds(elapsed), e}
}

// Session is a process's work on the run.
type Session struct {
	Moncae string      `json:"moncae"`
	Engine engine.Info `json:"engine"`
	Jobs   int         `json:"jobs"`
}

// Convolutions tell how a session's engine had a library compute them.
type Convolutions struct{ engine.Convolutions }

// Generation closes a generation.
type Generation struct {
	Generation  int      `json:"generation"`
	Population  []string `json:"population"` // ids, those of known candidates too
	Hypervolume float64  `json:"hypervolume"`
	Times       Times    `json:"times"`
}

// Finetuning is a finished finetuning. Result is nil where the starting weights
// were kept.
type Finetuning struct {
	ID      string  `json:"id"`
	Round   int     `json:"round"` // 0 is the search's own
	Epochs  int     `json:"epochs"`
	Failure string  `json:"failure,omitempty"`
	Result  *Result `json:"result,omitempty"`
	Seconds float64 `json:"seconds"`
}

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

// Plus sums two times.
func (t Times) Plus(o Times) Times {
	return Times{t.Build + o.Build, t.Compile + o.Compile, t.Train + o.Train, t.Validate + o.Validate, t.Store + o.Store, t.Idle + o.Idle, t.Wall + o.Wall}
}

// Rounded keeps milliseconds, which sums of floats lose.
func (t Times) Rounded() Times {
	for _, p := range []*float64{&t.Build, &t.Compile, &t.Train, &t.Validate, &t.Store, &t.Idle, &t.Wall} {
		*p = math.Round(1000**p) / 1000
	}
	return t
}

// Seconds are kept to the millisecond.
func Seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

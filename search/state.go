package search

import (
	"encoding/json"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// The kinds of the journal's records beside rundir's own.
const (
	kindSession    = "session"    // a process began to work on the run
	kindCandidate  = "candidate"  // a candidate is done
	kindGeneration = "generation" // a generation is done
	kindFinetune   = "finetune"   // a candidate's finetuning is done
)

// stamped is a record's data with the seconds since its session began.
type stamped struct {
	Elapsed float64 `json:"elapsed"`
	Data    any     `json:"event"`
}

type session struct {
	Moncae string      `json:"moncae"`
	Engine engine.Info `json:"engine"`
	Jobs   int         `json:"jobs"`
}

// generation closes a generation.
type generation struct {
	Generation  int      `json:"generation"`
	Population  []string `json:"population"` // ids, those of known candidates too
	Hypervolume float64  `json:"hypervolume"`
	Times       Times    `json:"times"`
}

// finetuned is a finished finetuning. Result is nil where the starting weights
// were kept.
type finetuned struct {
	ID      string  `json:"id"`
	Round   int     `json:"round"` // 0 is the search's own
	Epochs  int     `json:"epochs"`
	Failure string  `json:"failure,omitempty"`
	Result  *Result `json:"result,omitempty"`
	Seconds float64 `json:"seconds"`
}

// state is what the journal says.
type state struct {
	candidates  []*Candidate          // in the order of the journal
	byID        map[string]*Candidate // the same
	population  []string              // of the last finished generation
	generation  int                   // the next to run
	generations []generation
	finetunings []finetuned
	spentBefore float64 // seconds of the sessions that are over
}

func newState() state {
	return state{byID: map[string]*Candidate{}}
}

// replay reads a journal.
func replay(records []rundir.Record) (state, error) {
	st := newState()
	elapsed := 0.0
	for _, r := range records {
		var d struct {
			Elapsed float64         `json:"elapsed"`
			Event   json.RawMessage `json:"event"`
		}
		switch r.Kind {
		case kindSession, kindCandidate, kindGeneration, kindFinetune:
		default:
			continue
		}
		if err := r.Decode(&d); err != nil {
			return st, err
		}
		if r.Kind == kindSession {
			st.spentBefore += elapsed
		}
		elapsed = d.Elapsed
		r.Data = d.Event
		if err := st.apply(r); err != nil {
			return st, err
		}
	}
	st.spentBefore += elapsed
	return st, nil
}

func (st *state) apply(r rundir.Record) error {
	switch r.Kind {
	case kindCandidate:
		var c Candidate
		if err := r.Decode(&c); err != nil {
			return err
		}
		st.add(&c)
	case kindGeneration:
		var g generation
		if err := r.Decode(&g); err != nil {
			return err
		}
		st.close(g)
	case kindFinetune:
		var f finetuned
		if err := r.Decode(&f); err != nil {
			return err
		}
		if st.byID[f.ID] == nil {
			return fault.Damagedf("%s: line %d: finetuning of %q, which is no candidate before it", rundir.JournalFile, r.Seq+1, f.ID)
		}
		st.improve(f)
	}
	return nil
}

func (st *state) add(c *Candidate) {
	st.candidates = append(st.candidates, c)
	st.byID[c.ID] = c
}

// scored are the candidates of the given ids that have a score, each once.
func (st *state) scored(ids []string) []*Candidate {
	var out []*Candidate
	seen := map[string]bool{}
	for _, id := range ids {
		if c := st.byID[id]; c != nil && c.Search != nil && !seen[id] {
			seen[id] = true
			out = append(out, c)
		}
	}
	return out
}

func (st *state) close(g generation) {
	st.generations = append(st.generations, g)
	st.population, st.generation = g.Population, g.Generation+1
}

func (st *state) improve(f finetuned) {
	st.finetunings = append(st.finetunings, f)
	if f.Result != nil {
		st.byID[f.ID].Finetuned = f.Result
	}
}

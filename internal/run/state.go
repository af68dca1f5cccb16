package run

import (
	"encoding/json"
	"fmt"

	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// State is what the journal says.
type State struct {
	Candidates  []*Candidate // as they ended
	Population  []string     // ids of the last finished generation's
	Generations []Generation
	Finetunings []Finetuning
	Clock       []Clock
	Seconds     float64 // of the sessions that are over
	byID        map[string]*Candidate
	elapsed     map[string]float64 // by candidate
}

// Replay reads a journal of a run with configuration c.
func Replay(c Config, records []rundir.Record) (State, error) {
	st := State{byID: map[string]*Candidate{}, elapsed: map[string]float64{}}
	elapsed := 0.0
	for _, r := range records {
		var d struct {
			Elapsed float64         `json:"elapsed"`
			Event   json.RawMessage `json:"event"`
		}
		switch r.Kind {
		case kindSession, kindCandidate, kindGeneration, kindFinetune, kindClock:
		default:
			continue
		}
		if err := r.Decode(&d); err != nil {
			return st, err
		}
		if r.Kind == kindSession {
			st.Seconds += elapsed
		}
		elapsed = d.Elapsed
		r.Data = d.Event
		if err := st.apply(c, r); err != nil {
			return st, fault.Damagedf("%s: line %d: %w", rundir.JournalFile, r.Seq+1, err)
		}
		if r.Kind == kindCandidate {
			st.elapsed[st.Candidates[len(st.Candidates)-1].ID] = st.Seconds + elapsed
		}
	}
	st.Seconds += elapsed
	return st, nil
}

// decoded reads a record's data, then checks it.
func decoded(r rundir.Record, to any, check func() error) error {
	if err := json.Unmarshal(r.Data, to); err != nil {
		return fmt.Errorf("record of kind %q: %w", r.Kind, err)
	}
	return check()
}

// Elapsed are the seconds of the run until a candidate was done, as the journal
// that was read has them.
func (st *State) Elapsed(id string) float64 { return st.elapsed[id] }

func (st *State) apply(c Config, r rundir.Record) error {
	switch r.Kind {
	case kindCandidate:
		var cand Candidate
		if err := decoded(r, &cand, func() error { return c.checkCandidate(&cand) }); err != nil {
			return err
		}
		if st.byID[cand.ID] != nil {
			return fmt.Errorf("candidate %s is there twice", cand.ID)
		}
		st.Add(&cand)
	case kindGeneration:
		var g Generation
		if err := decoded(r, &g, func() error { return c.checkGeneration(st, g) }); err != nil {
			return err
		}
		st.Close(g)
	case kindFinetune:
		var f Finetuning
		if err := decoded(r, &f, func() error { return c.checkFinetuned(st, f) }); err != nil {
			return err
		}
		st.Improve(f)
	case kindClock:
		var d Clock
		if err := decoded(r, &d, func() error { return c.checkClock(d) }); err != nil {
			return err
		}
		st.Clock = append(st.Clock, d)
	}
	return nil
}

// Add takes in a candidate that is done.
func (st *State) Add(c *Candidate) {
	st.Candidates = append(st.Candidates, c)
	st.byID[c.ID] = c
}

// Close takes in a generation that is done.
func (st *State) Close(g Generation) {
	st.Generations = append(st.Generations, g)
	st.Population = g.Population
}

// Improve takes in a finetuning that is done.
func (st *State) Improve(f Finetuning) {
	st.Finetunings = append(st.Finetunings, f)
	if f.Result != nil {
		st.byID[f.ID].Finetuned = f.Result
	}
}

// Next is the generation to run.
func (st *State) Next() int {
	if n := len(st.Generations); n > 0 {
		return st.Generations[n-1].Generation + 1
	}
	return 0
}

// ByID is the candidate with an id, nil where there is none.
func (st *State) ByID(id string) *Candidate { return st.byID[id] }

// Scored are the candidates of the given ids that have a score, each once.
func (st *State) Scored(ids []string) []*Candidate {
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

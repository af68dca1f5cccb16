package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/rundir"
)

// Repair says what Mend did.
type Repair struct {
	Run     string   `json:"run"`
	Lost    int      `json:"lost"`    // lines of the journal that were no records any more
	Dropped []string `json:"dropped"` // what the journal no longer says, for it can't be vouched for
	Again   []string `json:"again"`   // candidates that --resume trains again, those that are known
	Aside   string   `json:"aside"`   // folder of the run with what was set aside; "" where nothing was wrong
	Moved   []string `json:"moved"`   // files that are in it now, beside the journal as it was
}

// Mend makes a run that damage keeps from being read one that a search can go on with.
// Records that are no longer whole, and records of files that are others, are left out,
// with all that follows from them; --resume makes them again, to the same bits on the
// engine that the run began on. able is asked before anything changes whether there is
// one. Nothing is deleted.
func Mend(path string, fs durable.FS, able func(rundir.Manifest) error) (rep Repair, err error) {
	s, err := rundir.OpenSalvage(path, fs)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	c, err := ConfigOf(s.Dir)
	if err != nil {
		return rep, err
	}
	m := &mending{Salvage: s, config: c, state: State{byID: map[string]*Candidate{}}, stale: map[string]bool{}}
	m.rep.Run, m.rep.Lost = s.Manifest.Run, len(s.Lost)
	for i, r := range s.Records() {
		m.lose(i)
		m.take(r)
	}
	m.lose(len(s.Records()))
	m.front()
	if !m.broken && len(m.files) == 0 {
		return m.rep, nil
	}
	if m.broken {
		if err := able(s.Manifest); err != nil {
			return m.rep, err
		}
	}
	m.rep.Moved = m.files
	m.rep.Aside, err = s.Commit(m.kept, m.files)
	return m.rep, err
}

// mending goes through a journal.
type mending struct {
	*rundir.Salvage
	config Config
	state  State
	kept   []rundir.Record
	files  []string // to be set aside
	broken bool     // something before is missing: what sums it up is no longer true
	// Finetunings that can't stay: of these candidates, or all, for one was lost of
	// which it isn't known whose it was. Later ones began with its weights.
	stale    map[string]bool
	allStale bool
	rep      Repair
}

// lose notes the lines that were lost in front of record i. A look at test data is not
// forgotten, where the line still tells that it was one.
func (m *mending) lose(i int) {
	for _, l := range m.Lost {
		if l.Before != i {
			continue
		}
		m.broken = true
		m.allStale = m.allStale || !slices.ContainsFunc([]string{kindCandidate, kindSession, kindGeneration}, func(kind string) bool {
			return bytes.Contains(l.Line, []byte(`"kind":"`+kind+`"`))
		})
		if bytes.Contains(l.Line, []byte(`"`+rundir.KindTest+`"`)) {
			data, err := json.Marshal(rundir.TestOpening{By: "a record that was damaged"})
			if err != nil {
				panic("run: " + err.Error())
			}
			m.kept = append(m.kept, rundir.Record{Kind: rundir.KindTest, Data: data})
		}
	}
}

func (m *mending) take(r rundir.Record) {
	var d struct {
		Event json.RawMessage `json:"event"`
	}
	var err error
	switch r.Kind {
	case kindCandidate, kindGeneration, kindFinetune, kindClock:
		if err = r.Decode(&d); err == nil {
			event := r
			event.Data = d.Event
			err = m.check(event)
		}
	case rundir.KindTable:
		var t rundir.Table
		if err = r.Decode(&t); err == nil {
			err = m.sound(t.Table)
		}
	default:
		if r.Front() && m.broken {
			return // another one comes
		}
	}
	if err != nil {
		m.broken = true
		m.rep.Dropped = append(m.rep.Dropped, err.Error())
		return
	}
	m.kept = append(m.kept, r)
}

// check tells why an event can't stay, and takes it in otherwise.
func (m *mending) check(r rundir.Record) error {
	if r.Kind == kindGeneration && m.broken {
		return errors.New("a generation is closed again, for what it consists of is not whole")
	}
	var c Candidate
	var f Finetuning
	switch r.Kind {
	case kindCandidate:
		if err := json.Unmarshal(r.Data, &c); err != nil {
			return err
		}
		if err := m.soundCandidate(&c); err != nil {
			return m.again(c.ID, err)
		}
	case kindFinetune:
		if err := json.Unmarshal(r.Data, &f); err != nil {
			return err
		}
		if err := m.soundFinetuning(f); err != nil {
			m.stale[f.ID] = true
			return m.again(f.ID, err)
		}
	}
	return m.state.apply(m.config, r)
}

func (m *mending) again(id string, err error) error {
	if !slices.Contains(m.rep.Again, id) && id != "" {
		m.rep.Again = append(m.rep.Again, id)
	}
	return err
}

func (m *mending) soundFinetuning(f Finetuning) error {
	if c := m.state.byID[f.ID]; c == nil || m.stale[f.ID] || m.allStale {
		return fmt.Errorf("finetuning of %s in round %d: what it began with is lost", f.ID, f.Round)
	}
	if f.Result == nil {
		return nil
	}
	return m.sound(f.Result.Weights)
}

func (m *mending) soundCandidate(c *Candidate) error {
	var errs []error
	if c.Network != nil {
		errs = append(errs, m.sound(*c.Network))
	}
	if c.Search != nil {
		errs = append(errs, m.sound(c.Search.Weights))
	}
	return errors.Join(errs...)
}

// sound sets a file aside that is another one than its record says.
func (m *mending) sound(f rundir.File) error {
	err := m.Sound(f)
	if err != nil && fault.Of(err) == fault.Damaged && !slices.Contains(m.files, f.Path) {
		m.files = append(m.files, f.Path)
	}
	return err
}

// front sets front.json aside where it is not that of the journal any more.
func (m *mending) front() {
	_, there, err := m.Dir.Front()
	if err == nil && !m.broken {
		return
	}
	if there || err != nil {
		m.files = append(m.files, rundir.FrontFile)
	}
	m.kept = slices.DeleteFunc(m.kept, rundir.Record.Front)
}

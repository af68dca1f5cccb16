package search

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"moncae/internal/run"
)

// liveEvery is how often those who watch are told.
const liveEvery = time.Second

// live keeps what a study is doing for those who watch: as the event Status, and
// as live.json in the run's folder. What is left is counted in images: those of
// this generation and of a whole population for each that comes, and those of
// finetuning, for as many candidates as the front has now.
type live struct {
	study   *Study
	tell    Observer
	began   time.Time // of this session's first training
	told    time.Time
	done    float64 // images of this session, those spared by an early stop too
	before  float64 // images of what was known at its beginning
	phase   string
	todo    float64 // images that were left when the phase began
	inPhase float64 // images since then
	each    float64 // images of one training
	seen    map[string]float64
	flying  map[string]*run.InFlight
	now     int             // generation that is told
	ahead   map[int]float64 // images of those that come, by generation
	off     bool            // live.json can't be written: nobody is told by it
}

func newLive(s *Study, tell Observer) *live {
	return &live{study: s, tell: tell, seen: map[string]float64{}, flying: map[string]*run.InFlight{}, ahead: map[int]float64{}}
}

// observe hands an event on and takes it in; the study's lock is held.
func (l *live) observe(e Event) {
	l.tell(e)
	switch e := e.(type) {
	case GenerationStarted:
		l.generation(e)
	case FinetuneStarted:
		l.finetuning(e)
	case CandidateStarted:
		l.seen[e.Candidate.ID] = 0
		l.flying[e.Candidate.ID] = &run.InFlight{ID: e.Candidate.ID, Latent: e.Candidate.Latent, Finetuning: e.Finetuning, Epoch: 1, Epochs: e.Epochs, Curve: []float64{}}
	case EpochFinished:
		if c := l.flying[e.ID]; c != nil {
			c.Epoch, c.Curve = min(e.Epoch+1, c.Epochs), append(c.Curve, e.Loss.Validation)
		}
	case Trained:
		l.seen[e.ID] += float64(e.Images)
		l.add(e.ID, float64(e.Images))
	case CandidateFinished:
		if c := e.Candidate; l.flying[c.ID] != nil {
			l.add(c.ID, l.each-l.seen[c.ID])
			delete(l.flying, c.ID)
		}
	default:
		return
	}
	if now := time.Now(); now.Sub(l.told) >= liveEvery && !l.began.IsZero() {
		l.told = now
		status := l.status(now)
		l.write(status)
		l.tell(Status{status})
	}
}

func (l *live) add(id string, images float64) {
	l.done += images
	l.inPhase += images
	if g := run.GenerationOf(id); g > l.now {
		l.ahead[g] += images
	}
}

func (l *live) start(phase string, candidates int, each, coming float64) {
	if l.began.IsZero() {
		l.began = time.Now()
	}
	l.phase, l.each, l.todo, l.inPhase = phase, each, float64(candidates)*each+coming, 0
}

func (l *live) generation(e GenerationStarted) {
	c := l.study.config
	each := float64(e.ImagesPerEpoch * e.Epochs)
	if l.began.IsZero() {
		l.before = float64(e.Generation*c.Population+e.Known) * each
	}
	coming := float64((e.Of-e.Generation-1)*c.Population) * each
	for i := range c.Finetune.Rounds() {
		coming += l.roundImages(i)
	}
	l.start(fmt.Sprintf("generation %d of %d", e.Generation+1, e.Of), e.ToTrain, each, coming)
	l.now = e.Generation
	for g, images := range l.ahead { // trainings that began before their generation was told
		if g >= l.now {
			l.inPhase += images
		}
	}
}

func (l *live) finetuning(e FinetuneStarted) {
	coming := 0.0
	for i := e.Round + 1; i < e.Of; i++ {
		coming += l.roundImages(i)
	}
	l.now = math.MaxInt
	l.start("finetuning", e.Candidates, float64(e.ImagesPerEpoch*e.Epochs), coming)
}

// roundImages estimates a round of finetuning by those that it would be for now.
func (l *live) roundImages(i int) float64 {
	s := l.study
	chosen := len(s.state.Chosen(s.config, s.reference, i))
	if chosen == 0 {
		chosen = min(s.config.Population, 6) // a usual front's, before there is one
	}
	return float64(chosen * s.config.Finetune.Rounds()[i].Epochs * len(s.training))
}

func (l *live) status(now time.Time) run.Live {
	left := max(0, l.todo-l.inPhase)
	s := run.Live{Format: "moncae.live", Version: 1, Phase: l.phase, Fraction: (l.before + l.done) / max(1, l.before+l.done+left), Candidates: []run.InFlight{}}
	s.Text = l.phase
	if time := l.study.config.Time; time > 0 {
		used := l.study.used()
		s.Fraction, s.SecondsLeft = min(1, used/time), max(1, time-used)
		s.Text += ", about " + Left(s.SecondsLeft) + " left"
	} else if spent := now.Sub(l.began); l.done > 0 && spent > 2*liveEvery { // before, it would be a guess
		s.SecondsLeft = left * spent.Seconds() / l.done
		s.Text += ", about " + Left(s.SecondsLeft) + " left"
	}
	for _, c := range l.flying {
		s.Candidates = append(s.Candidates, *c)
	}
	slices.SortFunc(s.Candidates, func(a, b run.InFlight) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	return s
}

// Left is a time for a person, no finer than it can be known.
func Left(seconds float64) string {
	switch s := int(seconds + 0.5); {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min", (s+30)/60)
	default:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
}

// write replaces live.json whole. It decides nothing, so an error only ends it,
// and it is neither synced nor part of what faults are injected into.
func (l *live) write(s run.Live) {
	if l.off {
		return
	}
	content, err := json.Marshal(s)
	if err != nil {
		panic(err) // numbers and words
	}
	l.off = replace(filepath.Join(l.study.dir.Path, run.LiveFile), content) != nil
}

func replace(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = cmp.Or(err, f.Chmod(0o644))
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what failed is told already
	}
	return err
}

// end takes live.json away.
func (l *live) end() {
	_ = os.Remove(filepath.Join(l.study.dir.Path, run.LiveFile)) // none is fine too
}

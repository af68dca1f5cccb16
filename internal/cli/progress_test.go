package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"moncae/internal/arch"
	"moncae/internal/run"
	"moncae/search"
)

// A search that decides candidate by candidate (ehvi) trains some of a generation
// before the one before it is closed. Each has 10 images at most.
func trained(id string, values, images int) []search.Event {
	c := &search.Candidate{ID: id, Latent: arch.Shape{C: values, H: 1, W: 1}, Search: &run.Result{Figures: run.Figures{BCE: 1 / float64(values)}}}
	return []search.Event{search.CandidateStarted{Candidate: c, Epochs: 1}, search.Trained{ID: id, Images: images}, search.CandidateFinished{Candidate: c}}
}

func ahead() (all []search.Event) {
	refused := &search.Candidate{ID: "g0-2", Failure: "refused: too large"}
	all = append(all, search.GenerationStarted{Of: 2, ToTrain: 2, Refused: 1, ImagesPerEpoch: 10, Epochs: 1}, search.CandidateFinished{Candidate: refused})
	all = append(all, trained("g0-0", 4, 10)...)
	all = append(all, trained("g1-0", 16, 7)...) // stopped early
	all = append(all, trained("g0-1", 2, 10)...)
	all = append(all, search.GenerationFinished{Of: 2})
	all = append(all, search.GenerationStarted{Generation: 1, Of: 2, ToTrain: 2, ImagesPerEpoch: 10, Epochs: 1})
	return append(all, trained("g1-1", 64, 10)...)
}

func TestTheBarCountsItsOwnGeneration(t *testing.T) {
	p := newProgress(Streams{Err: io.Discard, Terminal: true, Width: 120}, false)
	for i, e := range ahead() {
		p.observe(e)
		if p.bar != nil && (p.done > p.todo || p.bar.State().CurrentNum > int64(p.bar.GetMax())) {
			t.Fatalf("event %d: %d of %d, %d images of %d", i, p.done, p.todo, p.bar.State().CurrentNum, p.bar.GetMax())
		}
	}
	if p.done != 2 || p.bar.State().CurrentNum != 17 || p.bar.GetMax() != 17 {
		t.Errorf("in the end %d done, %d images of %d", p.done, p.bar.State().CurrentNum, p.bar.GetMax())
	}
}

// What a reader of --events adds up is never more than what a generation announced.
func TestEventsCountTheirOwnGeneration(t *testing.T) {
	var b bytes.Buffer
	e := &events{to: closer{&b}, err: io.Discard}
	for _, event := range ahead() {
		e.last = e.last.Add(-between) // as if the time had passed
		e.observe(event)
		if _, ok := event.(search.CandidateFinished); ok {
			e.recorded("candidate", nil)
		}
	}
	var images []int
	for line := range strings.Lines(b.String()) {
		var told struct {
			Kind string
			Data struct{ Images int }
		}
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			t.Fatal(err)
		}
		switch told.Kind {
		case "generation_started":
			images = append(images, 0)
		case "progress":
			images[len(images)-1] += told.Data.Images
		}
	}
	if len(images) != 2 || images[0] != 20 || images[1] != 17 {
		t.Errorf("images by generation: %v, want 20 and 17", images)
	}
}

type closer struct{ io.Writer }

func (closer) Close() error { return nil }

func TestTheBarNamesTheBestBySize(t *testing.T) {
	p := newProgress(Streams{Err: io.Discard, Width: 80}, false)
	for values, bce := range map[int]float64{4: 0.1407, 16: 0.11, 8: 0.15, 49: 0.087, 98: 0.09} {
		p.better(values, bce)
		p.better(values, 0.2)
	}
	if got := p.bestText(100); got != "  best 4→0.1407 16→0.1100 49→0.0870" {
		t.Errorf("%q", got)
	}
	for room := range 40 {
		if got := p.bestText(room); utf8.RuneCountInString(got) > room {
			t.Errorf("%q takes more than %d", got, room)
		}
	}
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"moncae/internal/fault"
	"moncae/search"
)

// events writes what happens in a search as JSON lines (docs/format/events.md) for
// a program that shows it. A reader that goes away interrupts the search by SIGPIPE;
// a disk that is full doesn't end it.
type events struct {
	to     io.WriteCloser // nil: nobody listens
	err    io.Writer
	pace   pace
	images int // trained since the last progress
	last   time.Time
}

// between is the least time between two lines of progress.
const between = 100 * time.Millisecond

// openEvents takes over an open file descriptor; 0 stands for none.
func (a *app) openEvents(descriptor int) (*events, error) {
	if descriptor == 0 {
		return &events{}, nil
	}
	if descriptor < 3 {
		return nil, fault.Usagef("--events is %d: give a descriptor of 3 or above, for example --events 3 3>events.jsonl", descriptor)
	}
	name := fmt.Sprintf("file descriptor %d", descriptor)
	f := os.NewFile(uintptr(descriptor), name)
	if _, err := f.Stat(); err != nil {
		return nil, fault.Usagef("--events: %s isn't open: open it, for example --events %d %d>events.jsonl", name, descriptor, descriptor)
	}
	return &events{to: f, err: a.Err}, nil
}

func (e *events) close() {
	if e.to != nil {
		quietly(e.to.Close())
	}
}

// recorded passes a record of the journal on.
func (e *events) recorded(kind string, data any) {
	e.progress(true)
	e.write(kind, data)
}

// observe tells what the journal doesn't: what is about to be trained, and how
// far it has come.
func (e *events) observe(event search.Event) {
	switch event := event.(type) {
	case search.GenerationStarted:
		e.write("generation_started", map[string]int{
			"generation": event.Generation, "of": event.Of, "to_train": event.ToTrain, "known": event.Known,
			"refused": event.Refused, "images": event.ToTrain * event.Epochs * event.ImagesPerEpoch,
		})
		e.images += e.pace.generation(event.Generation).images
		e.progress(false)
	case search.FinetuneStarted:
		e.pace.finetuning()
		e.write("finetune_started", map[string]int{
			"round": event.Round, "of": event.Of, "to_train": event.Candidates,
			"images": event.Candidates * event.Epochs * event.ImagesPerEpoch,
		})
	case search.Trained:
		e.images += e.pace.counted(event.ID, tally{images: event.Images}).images
		e.progress(false)
	}
}

// progress writes the images trained since the last time, now or when it is time.
func (e *events) progress(now bool) {
	if e.images == 0 || !now && time.Since(e.last) < between {
		return
	}
	images := e.images
	e.images, e.last = 0, time.Now()
	e.write("progress", map[string]int{"images": images})
}

func (e *events) write(kind string, data any) {
	if e.to == nil {
		return
	}
	line, err := json.Marshal(struct {
		Kind string `json:"kind"`
		Data any    `json:"data"`
	}{kind, data})
	if err == nil {
		_, err = e.to.Write(append(line, '\n'))
	}
	if err != nil {
		fmt.Fprintf(e.err, "moncae: --events: %v; the search goes on without it\n", err)
		e.close()
		e.to = nil
	}
}

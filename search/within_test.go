package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/task"
)

// fakeClock goes on by what its trainings take, one at a time: so many seconds for an
// image's unit of cost, times the load at that time.
type fakeClock struct {
	mu     sync.Mutex
	at     time.Time
	second float64 // for a unit of cost
	load   func(elapsed float64) float64
}

func newFakeClock(second float64, load func(float64) float64) *fakeClock {
	return &fakeClock{at: time.Unix(1e9, 0), second: second, load: load}
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) pass(images float64, a arch.Arch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	elapsed := c.at.Sub(time.Unix(1e9, 0)).Seconds()
	c.at = c.at.Add(time.Duration(images * cost(a, 1) * c.second * c.load(elapsed) * float64(time.Second)))
}

func (c *fakeClock) fit(ctx context.Context, e engine.Engine, d engine.Data, a arch.Arch, r arch.Recipe, o train.Options) (train.Outcome, error) {
	out, err := fakeFit(ctx, e, d, a, r, o)
	for i := range o.Epochs {
		const parts = 8
		for part := range parts {
			if o.Halt != nil && o.Halt() {
				out.Epochs, out.Steps = i+1, (i*parts+part)*len(o.Train)/o.Batch/parts
				return out, err
			}
			c.pass(float64(len(o.Train))/parts, a)
		}
		c.pass(float64(len(o.Validation))/3, a)
	}
	c.pass(float64(len(o.Validation))/2, a)
	return out, err
}

func (c *fakeClock) options() Options {
	return Options{Trainer: task.NewHere(fakeEngine{}, c.fit), Jobs: 1, Now: c.now}
}

func steady(float64) float64 { return 1 }

// within is a search for so many seconds; it gives those that it took.
func within(t *testing.T, path string, seconds float64, clock *fakeClock, images *dataset.Set, change func(*Config)) float64 {
	t.Helper()
	c := config(t)
	c.Time = seconds
	change(&c)
	began := clock.now()
	o := clock.options()
	o.Began = began
	clock.at = clock.at.Add(time.Second) // the data are read
	s, err := CreateWithin(context.Background(), path, c, images, o)
	if err != nil {
		t.Fatal(err)
	}
	complete(t, s)
	return clock.now().Sub(began).Seconds()
}

// Searches end within a tenth of their time, whatever trainings take, and however that
// changes meanwhile.
func TestSearchesEndInTheirTime(t *testing.T) {
	t.Parallel()
	same := func(*Config) {}
	slower := func(from, times float64) func(float64) float64 {
		return func(elapsed float64) float64 {
			if elapsed > from {
				return times
			}
			return 1
		}
	}
	for name, x := range map[string]struct {
		seconds, second float64
		load            func(float64) float64
		images          int
		change          func(*Config)
	}{
		"two minutes":             {120, 4e-9, steady, 300, same},
		"half a minute":           {30, 4e-9, steady, 300, same},
		"an hour":                 {3600, 4e-8, steady, 300, same},
		"slow trainings":          {120, 4e-8, steady, 300, same},
		"very slow trainings":     {120, 1e-7, steady, 300, same},
		"few images":              {120, 4e-9, steady, 20, same},
		"many images":             {120, 4e-9, steady, 9000, same},
		"a preset of more":        {120, 4e-9, steady, 300, func(c *Config) { c.Population, c.Generations, c.Epochs = 16, 10, 5 }},
		"place by place":          {60, 2e-8, steady, 300, func(c *Config) { c.SetAlgorithm(algorithm.EHVI) }},
		"slower in the search":    {120, 8e-9, slower(20, 2), 300, same},
		"slower at the end":       {120, 8e-9, slower(80, 1.6), 300, same},
		"faster in the search":    {120, 16e-9, slower(20, 0.5), 300, same},
		"faster than was thought": {120, 16e-9, slower(6, 0.2), 300, same},
		"faster at the end":       {120, 8e-9, slower(80, 0.6), 300, same},
		"much slower at the end":  {120, 8e-9, slower(80, 6), 300, same},
		"patience":                {120, 4e-9, steady, 300, func(c *Config) { c.Patience = 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "run")
			took := within(t, path, x.seconds, newFakeClock(x.second, x.load), images(x.images), x.change) + afterwards
			if took < 0.9*x.seconds || took > 1.1*x.seconds {
				t.Errorf("it took %.1f s of %v", took, x.seconds)
			}
			r := open(t, path)
			if r.Manifest.Repeatable == nil || *r.Manifest.Repeatable {
				t.Error("the run says that it is repeatable")
			}
			if n := len(r.Clock); !r.Finished || n < 2 || len(r.Generations) != r.Config.Generations || !r.Clock[n-1].Over {
				t.Errorf("finished %v after %d generations, the clock decided %+v", r.Finished, len(r.Generations), r.Clock)
			}
			if len(r.Front.Members) == 0 {
				t.Error("the front is empty")
			}
			t.Logf("%.1f s: %d × %d of %d epochs of %d images; %+v", took, len(r.Generations), r.Config.Population, r.Config.Epochs, r.Config.TrainLimit, r.Config.Finetune.Decided)
		})
	}
}

// More time has more and longer trainings.
func TestMoreTimeIsUsed(t *testing.T) {
	t.Parallel()
	var before effort
	for _, seconds := range []float64{60, 240, 960} {
		path := filepath.Join(t.TempDir(), "run")
		within(t, path, seconds, newFakeClock(1e-8, steady), images(300), func(*Config) {})
		r := open(t, path)
		now := effort{float64(len(r.Trainings())), float64(r.Trainings()[len(r.Trainings())-1].Steps)}
		if now.trainings <= before.trainings || now.steps <= before.steps {
			t.Errorf("%v s: %+v, in a quarter of it %+v", seconds, now, before)
		}
		before = now
	}
}

// A run that goes on keeps what the clock decided before, and its time.
func TestSearchesForATimeGoOn(t *testing.T) {
	t.Parallel()
	const seconds = 60
	path := filepath.Join(t.TempDir(), "run")
	within(t, path, seconds, newFakeClock(2e-8, steady), images(100), func(*Config) {})
	journal, err := os.ReadFile(filepath.Join(path, rundir.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(journal, []byte("\n"))
	for n := 2; n < len(lines); n++ {
		if err := os.WriteFile(filepath.Join(path, rundir.JournalFile), bytes.Join(lines[:n], nil), 0o600); err != nil {
			t.Fatal(err)
		}
		clock := newFakeClock(2e-8, steady)
		s, err := Resume(path, images(100), clock.options())
		if err != nil {
			t.Fatal(err)
		}
		kept := s.state
		complete(t, s)
		r := open(t, path)
		if took := r.Seconds + afterwards; !r.Finished || took < 0.85*seconds || took > 1.1*seconds {
			t.Errorf("resumed after record %d: finished %v after %.1f s", n, r.Finished, took)
		}
		if len(r.Clock) < len(kept.Clock) || !slices.EqualFunc(r.Clock[:len(kept.Clock)], kept.Clock, func(a, b run.Clock) bool {
			return a.Generations == b.Generations && a.Over == b.Over && (a.Round == nil) == (b.Round == nil) && (a.Round == nil || *a.Round == *b.Round)
		}) {
			t.Errorf("resumed after record %d: the clock decided %+v, before %+v", n, r.Clock, kept.Clock)
		}
		for i, g := range kept.Generations {
			if !slices.Equal(g.Population, r.Generations[i].Population) {
				t.Errorf("resumed after record %d: generation %d is another", n, i)
			}
		}
	}
}

// What is asked for when the search is over has all its epochs.
func TestFinetuningLaterHasItsEpochs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	clock := newFakeClock(2e-8, steady)
	within(t, path, 60, clock, images(100), func(*Config) {})
	s, err := Resume(path, images(100), clock.options())
	if err != nil {
		t.Fatal(err)
	}
	id := s.Front().Members[0].ID
	const epochs = 40
	_, err = s.Finetune(context.Background(), []string{id}, epochs, nil)
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	r := open(t, path)
	if last := r.Finetunings[len(r.Finetunings)-1]; last.ID != id || last.Epochs != epochs {
		t.Errorf("%s was trained on for %d epochs, want %d", last.ID, last.Epochs, epochs)
	}
}

func TestTimesThatCantBeKept(t *testing.T) {
	t.Parallel()
	clock := newFakeClock(1e-7, steady)
	c := config(t)
	c.Time = 10
	if _, err := CreateWithin(context.Background(), filepath.Join(t.TempDir(), "run"), c, images(60), clock.options()); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "too short") {
		t.Errorf("ten seconds: %v", err)
	}
	c.Time = 60
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := CreateWithin(ctx, filepath.Join(t.TempDir(), "run"), c, images(60), clock.options()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	c = config(t)
	c.Time = 60
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "by the clock") {
		t.Errorf("finetuning that is planned: %v", err)
	}
	for _, d := range []string{`{}`, `{"generations":99}`, `{"over":true,"generations":1}`, `{"round":{"scope":"all","epochs":1}}`, `{"round":{"scope":"front","epochs":0}}`} {
		c.Finetune.Epochs, c.Finetune.Trial = 0, 0
		if _, err := run.Replay(c, []rundir.Record{{Kind: "clock", Data: []byte(fmt.Sprintf(`{"elapsed":1,"event":%s}`, d))}}); fault.Of(err) != fault.Damaged || err == nil {
			t.Errorf("%s: %v", d, err)
		}
	}
}

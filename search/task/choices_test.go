package task

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/worker"
)

// choosing is an engine that has a library compute convolutions.
type choosing struct {
	engine.Engine
	made engine.Convolutions
}

func (c *choosing) Convolutions() engine.Convolutions { return c.made }

// What a worker's engine chose comes to the coordinator with the training's events, once,
// and is sorted there whichever worker told first.
func TestChoicesAreTold(t *testing.T) {
	forward, back := engine.Plan{Kind: "forward", Kernel: 3, Engine: 7, Rank: 1}, engine.Plan{Kind: "input gradient", Kernel: 3}
	eng := &choosing{Engine: ref.New(), made: engine.Convolutions{Library: "L 1", Plans: []engine.Plan{back}, Own: []string{"it fails"}}}
	w := &Workers{}
	f := &far{chosen: w.chosen}
	said := 0
	say := func(data any, _ ...worker.Part) error {
		said++
		content, err := json.Marshal(data)
		if err != nil {
			return err
		}
		return f.event(content, nil)
	}
	s := NewSite(eng)
	for step, want := range []struct {
		plans []engine.Plan
		told  int
	}{{[]engine.Plan{back}, 1}, {[]engine.Plan{back}, 1}, {[]engine.Plan{forward, back}, 2}} {
		if step == 2 {
			eng.made.Plans = []engine.Plan{forward, back}
		}
		if err := s.tellChoices(say); err != nil {
			t.Fatal(err)
		}
		if got := w.Convolutions(); said != want.told || !reflect.DeepEqual(got, engine.Convolutions{Library: "L 1", Plans: want.plans, Own: eng.made.Own}) {
			t.Errorf("step %d: told %d times, want %d: %+v", step, said, want.told, got)
		}
	}
	if err := NewSite(eng).tellChoices(say); err != nil { // another worker, that says the same
		t.Fatal(err)
	}
	if got := w.Convolutions(); len(got.Plans) != 2 || len(got.Own) != 1 {
		t.Errorf("after two workers: %+v", got)
	}
	var l lines
	training, give := small()
	give(&l)
	l.task(kindTrain, training)
	out, err := siteOn(t, eng, &l)
	if told, result := strings.Index(out, `"convolutions":{"library":"L 1"`), strings.Index(out, `"result"`); err != nil || told < 0 || told > result {
		t.Errorf("a training tells of no convolutions before its result: %v: %s", err, out)
	}
}

package task

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/version"
	"moncae/internal/worker"
)

// lines are what a coordinator writes.
type lines struct{ bytes.Buffer }

func (l *lines) give(key, kind string, head any, parts ...worker.Part) {
	l.write(map[string]any{"give": map[string]any{"key": key, "kind": kind, "head": head}, "parts": parts}, parts)
}

func (l *lines) task(kind string, spec any, parts ...worker.Part) {
	b, err := json.Marshal(spec)
	if err != nil {
		panic(err)
	}
	l.write(map[string]any{"task": map[string]any{"id": 1, "kind": kind, "key": worker.Key(kind, b), "spec": json.RawMessage(b), "with": with{}}, "parts": parts}, parts)
}

func (l *lines) write(line any, parts []worker.Part) {
	b, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	l.Write(append(b, '\n'))
	for _, p := range parts {
		l.Write(p.Content)
	}
}

// site is what a worker says to the coordinator, and how it ends.
func site(t *testing.T, in *lines) (string, error) {
	t.Helper()
	return siteOn(t, ref.New(), in)
}

func siteOn(t *testing.T, eng engine.Engine, in *lines) (string, error) {
	t.Helper()
	s := NewSite(eng)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	out := heard{ended: make(chan struct{})}
	err := worker.Server{Hello: s.Hello(), Kinds: s.Kinds(), Keeps: s.Keeps()}.Serve(context.Background(), io.MultiReader(in, out.end()), &out)
	return out.String(), err
}

// heard is what a worker says.
type heard struct {
	bytes.Buffer
	ended chan struct{} // closed when the task is over
}

func (h *heard) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte(`{"result"`)) || bytes.HasPrefix(b, []byte(`{"failed"`)) {
		close(h.ended)
	}
	return h.Buffer.Write(b)
}

// end is an input that ends when the task is over.
func (h *heard) end() io.Reader { return waiting{h.ended} }

type waiting struct{ until chan struct{} }

func (w waiting) Read([]byte) (int, error) {
	<-w.until
	return 0, io.EOF
}

// small is a training on four images, and what a worker is to be given for it.
func small() (Training, func(*lines)) {
	set := &dataset.Set{Shape: arch.Shape{C: 1, H: 4, W: 4}, Images: bytes.Repeat([]byte{0, 9, 200, 255}, 16)}
	rows := RowsOf([]int32{0, 1, 2, 3})
	conv := arch.Layer{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}
	t := Training{
		Moncae: version.Number(), Class: ref.New().Info().Class(engine.Float32), Data: dataset.Fingerprint(set),
		Arch:   arch.Arch{Input: set.Shape, Encoder: arch.Stack{conv}, Decoder: arch.Stack{conv}},
		Recipe: arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.Constant},
		Loss:   graph.BCE, Epochs: 1, Batch: 2, Seed: 1, Train: rows, Validation: rows,
	}
	return t, func(l *lines) {
		l.give(t.Data, kindImages, imagesHead{set.Shape, 4, 0}, worker.NewPart(partImages, set.Images))
		l.give(rows.Key, kindRows, nil, worker.NewPart(partRows, rowBytes(rows.Numbers)))
	}
}

// What a worker can't do is refused in a line, before it works.
func TestSiteRefuses(t *testing.T) {
	other := RowsOf([]int32{0, 4})
	for want, change := range map[string]func(*Training, *lines){
		"a task of moncae v0.0.1; this worker is":             func(t *Training, _ *lines) { t.Moncae = "v0.0.1" },
		"a task for another engine (engine onednn, here ref)": func(t *Training, _ *lines) { t.Class.Engine = "onednn" },
		"a task for another engine (version 1999, here":       func(t *Training, _ *lines) { t.Class.Version = "1999" },
		"images 00112233… were not given":                     func(t *Training, _ *lines) { t.Data = "00112233" },
		fmt.Sprintf("rows %.16s… were not given", other.Key):  func(t *Training, _ *lines) { t.Train = other },
		fmt.Sprintf("rows %.16s… are not all of the 4", other.Key): func(t *Training, l *lines) {
			t.Train = other
			l.give(other.Key, kindRows, nil, worker.NewPart(partRows, rowBytes(other.Numbers)))
		},
		"rows 0011… : what came has the SHA-256": func(_ *Training, l *lines) { l.give("0011", kindRows, nil, worker.NewPart(partRows, []byte("abcd"))) },
		"5 bytes and 0 of labels are not 1 images": func(_ *Training, l *lines) {
			l.give("0011", kindImages, imagesHead{arch.Shape{C: 1, H: 2, W: 2}, 1, 0}, worker.NewPart(partImages, []byte("abcde")))
		},
		"a training's first weights":       func(t *Training, _ *lines) { t.Start = &Start{SHA256: "0011"} },
		"a probe on images without labels": func(t *Training, _ *lines) { t.Probe = &Probe{Train: t.Train, Validation: t.Train} },
		"a training: ":                     func(t *Training, _ *lines) { t.Arch.Encoder = arch.Stack{{Kind: "kernel"}} },
	} {
		var l lines
		training, give := small()
		give(&l)
		change(&training, &l)
		l.task(kindTrain, training)
		said, err := site(t, &l)
		want = strings.ReplaceAll(want, "… :", "…:")
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, want)
		}
		if strings.Contains(said, `"result"`) {
			t.Errorf("%q: there is a result: %s", want, said)
		}
	}
	var l lines
	training, give := small()
	give(&l)
	l.task(kindTrain, training)
	if said, err := site(t, &l); err != nil || !strings.Contains(said, `"result"`) {
		t.Errorf("a task without a fault: %v: %s", err, said)
	}
}

// Mixed workers are taken whatever their engine, and do tasks that any engine may do.
func TestMixedEngines(t *testing.T) {
	one, two := NewSite(ref.New()).Hello(), NewSite(ref.New()).Hello()
	two.Class.Version = "1999"
	other := one
	other.Version = "v0.0.1"
	for _, mixed := range []bool{false, true} {
		check := Same(mixed)
		if err := check(one); err != nil {
			t.Error(err)
		}
		if err := check(two); (err == nil) != mixed {
			t.Errorf("mixed %v: another engine: %v", mixed, err)
		}
		if err := check(other); fault.Of(err) != fault.Usage {
			t.Errorf("mixed %v: another moncae: %v", mixed, err)
		}
	}
	var l lines
	training, give := small()
	training.Class = engine.Info{Name: engine.Mixed}.Class(engine.Float32)
	give(&l)
	l.task(kindTrain, training)
	if said, err := site(t, &l); err != nil || !strings.Contains(said, `"result"`) {
		t.Errorf("a task for any engine: %v: %s", err, said)
	}
}

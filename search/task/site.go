package task

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/internal/version"
	"moncae/internal/worker"
)

// Site does a search's tasks in a worker, on one engine.
type Site struct {
	engine engine.Engine
	images map[string]*Here // by fingerprint
	rows   map[string]Rows
	unload []func() error

	mu   sync.Mutex
	told engine.Convolutions // that the coordinator knows of
}

// NewSite is a site on eng.
func NewSite(eng engine.Engine) *Site {
	return &Site{engine: eng, images: map[string]*Here{}, rows: map[string]Rows{}}
}

// Close gives back what was kept.
func (s *Site) Close() error {
	var errs []error
	for _, unload := range s.unload {
		errs = append(errs, unload())
	}
	return errors.Join(errs...)
}

// Hello says what the site is.
func (s *Site) Hello() worker.Hello {
	i := s.engine.Info()
	return worker.Hello{Protocol: worker.Protocol, Version: version.Number(), Class: i.Class(""), Engine: i, Precisions: i.Precisions}
}

// Kinds are the tasks that it does.
func (s *Site) Kinds() map[string]worker.Kind {
	return map[string]worker.Kind{kindTrain: s.train, kindFinetune: s.train, kindMeasure: s.measure}
}

// Keeps are the things that it keeps.
func (s *Site) Keeps() map[string]worker.Keep {
	return map[string]worker.Keep{kindImages: s.keepImages, kindRows: s.keepRows}
}

func (s *Site) keepImages(key string, head json.RawMessage, parts []worker.Part) error {
	var h imagesHead
	if err := json.Unmarshal(head, &h); err != nil {
		return fault.Usagef("images %.16s…: %v", key, err)
	}
	set := &dataset.Set{Name: key, Shape: h.Shape, Images: worker.Find(parts, partImages)}
	labels := worker.Find(parts, partLabels)
	if size := h.Shape.Values(); min(h.Shape.C, h.Shape.H, h.Shape.W, h.Rows) < 1 || len(set.Images)%size != 0 || len(set.Images)/size != h.Rows ||
		len(labels) != 0 && len(labels) != 4*h.Rows {
		return fault.Usagef("images %.16s…: %d bytes and %d of labels are not %d images of %v", key, len(set.Images), len(labels), h.Rows, h.Shape)
	}
	for ; len(labels) > 0; labels = labels[4:] {
		set.Labels = append(set.Labels, int32(binary.LittleEndian.Uint32(labels)))
	}
	set.Classes = make([]string, h.Classes)
	if got := dataset.Fingerprint(set); got != key {
		return fault.Usagef("images %.16s…: what came has the fingerprint %.16s…", key, got)
	}
	here := NewHere(s.engine, train.Autoencoder)
	unload, err := here.Load(set)
	if err != nil {
		return err
	}
	s.unload = append(s.unload, unload)
	s.images[key] = here
	return nil
}

func (s *Site) keepRows(key string, _ json.RawMessage, parts []worker.Part) error {
	content := worker.Find(parts, partRows)
	numbers := make([]int32, 0, len(content)/4)
	for ; len(content) >= 4; content = content[4:] {
		numbers = append(numbers, int32(binary.LittleEndian.Uint32(content)))
	}
	r := RowsOf(numbers)
	if r.Key != key || len(content) > 0 {
		return fault.Usagef("rows %.16s…: what came has the SHA-256 %.16s…", key, r.Key)
	}
	s.rows[key] = r
	return nil
}

// find completes rows of the images by their key.
func (s *Site) find(set *dataset.Set, all ...*Rows) error {
	for _, r := range all {
		found, ok := s.rows[r.Key]
		if !ok {
			return fault.Usagef("rows %.16s… were not given", r.Key)
		}
		if len(found.Numbers) > 0 && (slices.Min(found.Numbers) < 0 || int(slices.Max(found.Numbers)) >= set.Rows()) {
			return fault.Usagef("rows %.16s… are not all of the %d images", r.Key, set.Rows())
		}
		*r = found
	}
	return nil
}

// on are the images of a task that is for this moncae and this engine.
func (s *Site) on(moncae string, class engine.Class, data string) (*Here, error) {
	if moncae != version.Number() {
		return nil, fault.Usagef("a task of moncae %s; this worker is %s", moncae, version.Number())
	}
	if d := class.Difference(s.engine.Info().Class(class.Precision)); d != "" && class.Engine != engine.Mixed {
		return nil, fault.Usagef("a task for another engine (%s)", d)
	}
	if err := engine.CheckPrecision(class.Precision, s.engine.Info().Precisions); err != nil {
		return nil, err
	}
	here, ok := s.images[data]
	if !ok {
		return nil, fault.Usagef("images %.16s… were not given", data)
	}
	return here, nil
}

// training is the task's, complete.
func (s *Site) training(w worker.Task) (t Training, here *Here, err error) {
	if err := json.Unmarshal(w.Spec, &t); err != nil {
		return t, nil, fault.Usagef("a training: %v", err)
	}
	if here, err = s.on(t.Moncae, t.Class, t.Data); err != nil {
		return t, nil, err
	}
	if err := t.Arch.Validate(); err != nil {
		return t, nil, fault.Usagef("a training: %w", err)
	}
	rows := []*Rows{&t.Train, &t.Validation}
	if t.Probe != nil {
		rows = append(rows, &t.Probe.Train, &t.Probe.Validation)
	}
	if err := s.find(here.set, rows...); err != nil {
		return t, nil, err
	}
	if t.Probe != nil && (len(here.set.Labels) == 0 || len(here.set.Classes) == 0) {
		return t, nil, fault.Usagef("a training with a probe on images without labels")
	}
	if t.Start != nil {
		if t.Start.Weights, err = rundir.ReadWeights(worker.Find(w.Parts, partWeights), t.Arch.Params()); err != nil {
			return t, nil, fault.Usagef("a training's first weights: %v", err)
		}
	}
	return t, here, nil
}

// train does a training or a finetuning.
func (s *Site) train(ctx context.Context, w worker.Task, say worker.Say) (worker.Result, error) {
	t, here, err := s.training(w)
	if err != nil {
		return worker.Result{}, err
	}
	watch, err := watching(t, w, say)
	if err != nil {
		return worker.Result{}, err
	}
	out, err := here.Train(ctx, t, watch)
	if err := errors.Join(err, s.tellChoices(say)); err != nil {
		return worker.Result{}, err
	}
	var parts []worker.Part
	if out.Failure == "" {
		content, err := encodeWeights(t.Arch, out.Weights)
		if err != nil {
			return worker.Result{}, err
		}
		parts = []worker.Part{worker.NewPart(partWeights, content)}
	}
	out.Weights = nil
	data, err := json.Marshal(trained{out.Outcome, out.SSIM, out.Probe})
	return worker.Result{Data: data, Parts: parts}, err
}

// tellChoices tells how convolutions are computed that were not told of.
func (s *Site) tellChoices(say worker.Say) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := engine.ConvolutionsOf(s.engine).Without(s.told)
	if fresh.Empty() {
		return nil
	}
	s.told.Add(fresh)
	return say(told{Convolutions: &fresh})
}

// measure does a measurement.
func (s *Site) measure(ctx context.Context, w worker.Task, _ worker.Say) (r worker.Result, err error) {
	var m measurement
	if err := json.Unmarshal(w.Spec, &m); err != nil {
		return r, fault.Usagef("a measurement: %v", err)
	}
	here, err := s.on(m.Moncae, m.Class, m.Data)
	if err != nil {
		return r, err
	}
	if err := m.Arch.Validate(); err != nil {
		return r, fault.Usagef("a measurement: %w", err)
	}
	if m.Weights, err = rundir.ReadWeights(worker.Find(w.Parts, partWeights), m.Arch.Params()); err != nil {
		return r, fault.Usagef("a measurement's weights: %v", err)
	}
	f, err := here.Measure(ctx, m.Measurement)
	if err != nil {
		return r, err
	}
	r.Data, err = json.Marshal(f)
	return r, err
}

// watching tells the coordinator how a training goes on.
func watching(t Training, w worker.Task, say worker.Say) (watch Watch, err error) {
	var o with
	if err := json.Unmarshal(w.With, &o); err != nil {
		return watch, fault.Usagef("a training's field with: %v", err)
	}
	images := 0
	if content := worker.Find(w.Parts, partCheckpoint); content != nil {
		from, err := decodeCheckpoint(content, t.Arch.Params())
		if err != nil {
			return watch, fault.Usagef("a training's checkpoint: %v", err)
		}
		watch.Keeping.From, images = &from, t.Done(from)
	}
	last := time.Now()
	tell := quiet(say)
	watch.Progress = func(n int) {
		if images += n; time.Since(last) >= between {
			last = time.Now()
			tell(told{Images: images})
		}
	}
	watch.Epoch = func(n int, e train.Epoch) { tell(told{Images: images, Epoch: n, Loss: &e}) }
	watch.Keeping.Every = time.Duration(o.CheckpointEvery * float64(time.Second))
	watch.Keeping.Save = func(c train.Checkpoint) error {
		content, err := encodeCheckpoint(c)
		if err != nil {
			return err
		}
		return say(told{Images: images, Checkpoint: true}, worker.NewPart(partCheckpoint, content))
	}
	return watch, nil
}

// quiet drops errors of telling: a coordinator that has gone ends the worker.
func quiet(say worker.Say) func(told) {
	return func(t told) { _ = say(t) }
}

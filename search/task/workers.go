package task

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/internal/version"
	"moncae/internal/worker"
)

// The kinds of tasks, and of what workers are given for them (docs/format/worker.md).
const (
	kindTrain    = "train"
	kindFinetune = "finetune"
	kindMeasure  = "measure"
	kindImages   = "images"
	kindRows     = "rows"
)

// Names of the parts of messages.
const (
	partImages     = "images"
	partLabels     = "labels"
	partRows       = "rows"
	partWeights    = "weights"
	partCheckpoint = "checkpoint"
)

// Workers trains in other processes, all on engines of one class, or mixed.
type Workers struct {
	pool  *worker.Pool
	hello worker.Hello // of the first
	mixed bool
	data  string // fingerprint of the images that were loaded last

	mu           sync.Mutex
	convolutions engine.Convolutions
}

// Same refuses workers of another moncae than this one, and of another engine than
// the first's where they are not to be mixed.
func Same(mixed bool) func(worker.Hello) error {
	var mu sync.Mutex
	var first *worker.Hello
	return func(h worker.Hello) error {
		mu.Lock()
		defer mu.Unlock()
		if h.Version != version.Number() {
			return fault.Usagef("a worker is moncae %s, this is %s: use the same everywhere", h.Version, version.Number())
		}
		if first == nil {
			first = &h
		}
		if mixed {
			return nil
		}
		if d := first.Class.Difference(h.Class); d != "" {
			return fault.Usagef("workers have different engines (%s): their results would not be those of one search; --mixed takes them all the same", d)
		}
		return nil
	}
}

// NewWorkers trains by pool, of which it starts one worker.
func NewWorkers(ctx context.Context, pool *worker.Pool, mixed bool) (*Workers, error) {
	hello, err := pool.Hello(ctx)
	return &Workers{pool: pool, hello: hello, mixed: mixed}, err
}

// Info describes the engines.
func (w *Workers) Info() engine.Info {
	i := w.hello.Engine
	if w.mixed {
		return engine.Info{Name: engine.Mixed, Device: "several devices", Workers: w.pool.Slots(), Precisions: w.hello.Precisions}
	}
	i.Model, i.ISA, i.Precisions = w.hello.Class.Device, w.hello.Class.ISA, w.hello.Precisions
	return i
}

// Convolutions tells what the workers' engines chose, those of workers that ended too.
func (w *Workers) Convolutions() (all engine.Convolutions) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all.Add(w.convolutions)
	return all
}

func (w *Workers) chosen(c engine.Convolutions) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.convolutions.Add(c)
}

// imagesHead says what the parts of given images are.
type imagesHead struct {
	Shape   arch.Shape `json:"shape"`
	Rows    int        `json:"rows"`
	Classes int        `json:"classes"` // 0: no labels
}

// Load has workers be given the images when they need them.
func (w *Workers) Load(set *dataset.Set) (unload func() error, err error) {
	key := dataset.Fingerprint(set)
	w.data = key
	labels := make([]byte, 0, 4*len(set.Labels))
	for _, l := range set.Labels {
		labels = binary.LittleEndian.AppendUint32(labels, uint32(l))
	}
	w.pool.Give(worker.Given{
		Key: key, Kind: kindImages, Head: imagesHead{set.Shape, set.Rows(), len(set.Classes)},
		Parts: []worker.Part{worker.NewPart(partImages, set.Images), worker.NewPart(partLabels, labels)},
	})
	return func() error { w.pool.Forget(key); return nil }, nil
}

// needs has a worker be given rows, and gives their keys.
func (w *Workers) needs(all ...Rows) (keys []string) {
	for _, r := range all {
		w.pool.Give(worker.Given{Key: r.Key, Kind: kindRows, Parts: []worker.Part{worker.NewPart(partRows, rowBytes(r.Numbers))}})
		keys = append(keys, r.Key)
	}
	return keys
}

// with is what of a training changes nothing of its result.
type with struct {
	CheckpointEvery float64 `json:"checkpoint_every"` // seconds; 0: none
}

// told is how a training goes on.
type told struct {
	Images     int          `json:"images,omitempty"` // trained so far, those before its checkpoint too
	Epoch      int          `json:"epoch,omitempty"`  // that ended
	Loss       *train.Epoch `json:"loss,omitempty"`   // of it
	Checkpoint bool         `json:"checkpoint,omitempty"`
	// Convolutions are what the engine chose since the worker told last.
	Convolutions *engine.Convolutions `json:"convolutions,omitempty"`
}

// trained is Trained but for its weights.
type trained struct {
	Outcome train.Outcome
	SSIM    float64
	Probe   float64
}

// sameTrained tells whether two results of a training are the same but for their times.
func sameTrained(a, b worker.Result) bool {
	return bytes.Equal(worker.Find(a.Parts, partWeights), worker.Find(b.Parts, partWeights)) && bytes.Equal(timeless(a), timeless(b))
}

// timeless is what a training came to, but for its times and weights; nil where the
// result is none.
func timeless(r worker.Result) []byte {
	var t trained
	if json.Unmarshal(r.Data, &t) != nil {
		return nil
	}
	t.Outcome.Phases = train.Phases{}
	content, err := json.Marshal(t)
	if err != nil {
		panic(err) // it was JSON before
	}
	return content
}

// Train has a worker do the training, and another one if that ends before; where that
// ends too, the training is a failed one.
func (w *Workers) Train(ctx context.Context, t Training, watch Watch) (Trained, error) {
	f := &far{Training: t, Watch: watch, chosen: w.chosen}
	needs := append(w.needs(t.Train, t.Validation), t.Data)
	if t.Probe != nil {
		needs = append(needs, w.needs(t.Probe.Train, t.Probe.Validation)...)
	}
	kind := kindTrain
	if t.Start != nil && t.Start.Keep {
		kind = kindFinetune
	}
	if from := watch.Keeping.From; from != nil {
		f.images, f.epoch = t.Done(*from), from.Epoch-1
		if err := f.hold(*from); err != nil {
			return Trained{}, err
		}
	}
	r, err := w.pool.Do(ctx, worker.Order{
		Kind: kind, Spec: t, With: with{watch.Keeping.Every.Seconds()}, Needs: needs, Parts: f.parts, Event: f.event, Same: sameTrained,
	})
	if lost := (*worker.Lost)(nil); errors.As(err, &lost) {
		return Trained{Outcome: train.Outcome{Failure: lost.Error()}}, nil
	}
	if err != nil {
		return Trained{}, err
	}
	return f.result(r)
}

// measurement is one, whole.
type measurement struct {
	Moncae string       `json:"moncae"`
	Class  engine.Class `json:"engine_class"`
	Data   string       `json:"data"`
	run.Measurement
	SHA256 string `json:"weights"` // of their bytes
}

// Measure has a worker measure the network.
func (w *Workers) Measure(ctx context.Context, m run.Measurement) (f run.Figures, err error) {
	content, err := encodeWeights(m.Arch, m.Weights)
	if err != nil {
		return f, err
	}
	sum := sha256.Sum256(content)
	r, err := w.pool.Do(ctx, worker.Order{
		Kind:  kindMeasure,
		Spec:  measurement{w.hello.Version, w.Info().Class(w.hello.Class.Precision), w.data, m, hex.EncodeToString(sum[:])},
		Needs: []string{w.data},
		Parts: func() ([]worker.Part, error) { return []worker.Part{worker.NewPart(partWeights, content)}, nil },
	})
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(r.Data, &f)
}

// Done are the images of a training that were trained on before its checkpoint.
func (t Training) Done(c train.Checkpoint) int {
	batch := train.Batch(t.Batch, len(t.Train.Numbers))
	return ((c.Epoch-1)*(len(t.Train.Numbers)/batch) + c.Step) * batch
}

// far is a training in a worker, as seen from here.
type far struct {
	Training
	Watch
	images, epoch int    // that were told of
	checkpoint    []byte // the last; nil: none
	kept          int    // images before it
	chosen        func(engine.Convolutions)
}

func (f *far) hold(c train.Checkpoint) error {
	content, err := encodeCheckpoint(c)
	f.checkpoint, f.kept = content, f.Done(c)
	return err
}

func encodeCheckpoint(c train.Checkpoint) ([]byte, error) {
	packed, err := Pack("", c)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = packed.Encode(&b)
	return b.Bytes(), err
}

func decodeCheckpoint(content []byte, params []arch.Param) (train.Checkpoint, error) {
	c, err := rundir.DecodeCheckpoint(content)
	if err != nil {
		return train.Checkpoint{}, err
	}
	return Unpack(c, params)
}

// parts go with the training: first weights, and the checkpoint to go on from.
func (f *far) parts() (parts []worker.Part, err error) {
	if f.Start != nil {
		content, err := encodeWeights(f.Arch, f.Start.Weights)
		if err != nil {
			return nil, err
		}
		parts = append(parts, worker.NewPart(partWeights, content))
	}
	if f.checkpoint != nil {
		parts = append(parts, worker.NewPart(partCheckpoint, f.checkpoint))
	}
	return parts, nil
}

func encodeWeights(a arch.Arch, w arch.Weights) ([]byte, error) {
	var b bytes.Buffer
	err := rundir.WriteTensors(&b, a.Params(), w, nil)
	return b.Bytes(), err
}

// event hears from the worker. A second one, perhaps beside the first, may tell again
// what that has told.
func (f *far) event(data json.RawMessage, parts []worker.Part) error {
	var e told
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("a worker's event: %w", err)
	}
	if e.Convolutions != nil {
		f.chosen(*e.Convolutions)
	}
	if e.Images > f.images && f.Progress != nil {
		f.Progress(e.Images - f.images)
	}
	f.images = max(f.images, e.Images)
	if e.Epoch > f.epoch && e.Loss != nil && f.Epoch != nil {
		f.epoch = e.Epoch
		f.Epoch(e.Epoch, *e.Loss)
	}
	if !e.Checkpoint {
		return nil
	}
	content := worker.Find(parts, partCheckpoint)
	c, err := decodeCheckpoint(content, f.Arch.Params())
	if err != nil {
		return fmt.Errorf("a worker's checkpoint: %w", err)
	}
	if done := f.Done(c); done > f.kept {
		f.checkpoint, f.kept = content, done
		return f.Keeping.Save(c)
	}
	return nil
}

func (f *far) result(r worker.Result) (Trained, error) {
	var t trained
	if err := json.Unmarshal(r.Data, &t); err != nil {
		return Trained{}, fmt.Errorf("a worker's result: %w", err)
	}
	out := Trained{t.Outcome, t.SSIM, t.Probe}
	if out.Failure != "" {
		return out, nil
	}
	var err error
	if out.Weights, err = rundir.ReadWeights(worker.Find(r.Parts, partWeights), f.Arch.Params()); err != nil {
		return Trained{}, fmt.Errorf("a worker's weights: %w", err)
	}
	return out, nil
}

// between is the least time between two events of progress.
const between = 100 * time.Millisecond

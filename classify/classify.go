// Package classify tells how much of a data set's use survived compression: it
// trains a classifier on latents, exports it to ONNX, and scores what ONNX
// Runtime computes on latents of other images, beside what the same classifier
// gets from principal components, from an untrained encoder and from the pixels.
//
// Promises: the head is trained on the training file alone, its standardisation
// included; the test file is read once, for the figures; every figure comes from
// the exported model, run by ONNX Runtime. Latents of two encoders, an encoder or
// a data set that isn't the latents' own, and test rows that were trained on are
// refused (fault.Usage), damaged files too (fault.Damaged). The output folder is
// whole or not there. Equal arguments give equal weights on one engine and device.
//
// A head has one network and one recipe for all data, and the baselines get the
// same: Adam, a one-cycle schedule of 10, 20 and 12 epochs (linear, mlp, conv),
// the weights of the epoch with the least loss on a tenth of the training rows
// set apart; no figure of the test file enters. A linear head then goes on to the
// optimum of its penalised loss on all training rows.
//
// Costs: both files as float32 in memory, twice during training; with baselines
// the images too, and a training for each of the three. On one core of 2023, for
// 50,000 latents of 512 values: seconds (linear), one minute (mlp), two (conv, at
// 2×16×16; it grows with height × width).
package classify

import (
	"context"
	"errors"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/ort"
	"moncae/internal/run"
)

// Options say what is classified, and with what.
type Options struct {
	Train, Test string // files (or folders of shards) of latents
	Head        Head   // "" is Linear
	Out         string // the folder to make
	Overwrite   bool   // what an earlier call left at Out
	Encoder     string // encoder.onnx, for pipeline.onnx; "" makes none
	// Data is the data set that the latents were made of, a name or a path, read
	// as Images says (its Split and preprocessing are the latents' own); ""
	// where there are neither baselines nor a pipeline to run on images.
	Data      string
	Images    dataset.Options
	Baselines bool
	Engine    engine.Engine // trains the heads
	Runtime   ort.Options   // runs the models; its Device is --device
	Seed      uint64
	FS        durable.FS
	// RunDir is the folder of the run that the latents come from, which counts uses of
	// its test images; "" is a folder above the encoder or the latents, where that is
	// the run's.
	RunDir string
}

// Observer hears how far a stage has come. It is called from one goroutine at a
// time and returns quickly.
type Observer func(stage string, done, total int)

func (o Observer) see(stage string, done, total int) {
	if o != nil {
		o(stage, done, total)
	}
}

// The names of the files in Options.Out.
const (
	HeadFile     = "head.onnx"     // latent → logits
	PipelineFile = "pipeline.onnx" // image → logits
	ReportFile   = "report.json"
	ReadmeFile   = "README.md"
)

// validate checks what can be checked before a file is opened.
func (o *Options) validate() error {
	if o.Head == "" {
		o.Head = Linear
	}
	var faults []error
	if o.Train == "" || o.Test == "" {
		faults = append(faults, errors.New("--train and --test name the two files of latents; both are needed"))
	}
	if o.Out == "" {
		faults = append(faults, errors.New("--out DIR is needed: the folder for head.onnx and the report"))
	}
	if o.Baselines && o.Data == "" {
		faults = append(faults, errors.New("--baselines needs the images: --data NAME|PATH"))
	}
	if err := o.Head.Validate(); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return fault.Usagef("%w", errors.Join(faults...))
	}
	return nil
}

// Run trains, exports and scores a head.
func Run(ctx context.Context, o Options, watch Observer) (_ *Report, err error) {
	begin := time.Now()
	if err := o.validate(); err != nil {
		return nil, err
	}
	place, err := claimOut(o.FS, o.Out, o.Overwrite)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	t, err := open(ctx, o, watch)
	if err != nil {
		return nil, err
	}
	r := t.report()
	h, score, err := t.headOn(ctx, "head", t.train.examples, t.test.examples)
	if err != nil {
		return nil, err
	}
	r.Score, r.Fit, r.Provider = score.Score, h.fit, score.provider
	models, err := t.models(h)
	if err != nil {
		return nil, err
	}
	r.pipeline = models.pipeline != nil
	if r.pipeline && t.images != nil && t.encoder.takes(t.images.shape) {
		if r.Pipeline, err = t.runPipeline(ctx, models.pipeline, score.Score); err != nil {
			return nil, err
		}
	}
	if o.Baselines {
		if r.Baselines, err = t.baselines(ctx, score.Score); err != nil {
			return nil, err
		}
	}
	r.Seconds = time.Since(begin).Seconds()
	return r, writeOut(place, o.Out, models, r)
}

// task is a Run under way.
type task struct {
	Options
	watch       Observer
	train, test *latents
	classes     []string
	encoder     *encoder // nil without Options.Encoder
	images      *images  // nil without Options.Data
	openings    *int
	uncounted   string // why this use of test images isn't in openings; "" where it is
}

// countUse notes that test images are used, before anything is made of them.
func (t *task) countUse() error {
	uses, err := run.UsesOf(t.test.meta.Run, t.RunDir, t.Encoder, t.Train, t.Test)
	if err != nil {
		return err
	}
	t.openings, t.uncounted, err = uses.Count(run.Use{By: "classify", Split: t.test.part(), Name: t.test.origin.Name}, t.FS)
	return err
}

// open reads everything that the options name, and refuses what doesn't belong
// together.
func open(ctx context.Context, o Options, watch Observer) (*task, error) {
	t := &task{Options: o, watch: watch}
	var err error
	if t.train, err = readLatents(o.Train); err != nil {
		return nil, err
	}
	if o.Encoder != "" {
		if t.encoder, err = openEncoder(o.Encoder, t.train); err != nil {
			return nil, err
		}
	}
	if t.test, err = readLatents(o.Test); err != nil {
		return nil, err
	}
	if err := checkPair(t.train, t.test); err != nil {
		return nil, err
	}
	if err := t.countUse(); err != nil {
		return nil, err
	}
	t.classes = classesOf(t.train, t.test)
	if o.Data != "" {
		watch.see("images", 0, 1)
		if t.images, err = loadImages(ctx, o, t.train, t.test); err != nil {
			return nil, err
		}
		if t.encoder != nil {
			return t, t.verify(ctx)
		}
	}
	return t, nil
}

// scored is a score and who computed the logits.
type scored struct {
	Score
	provider string
}

// headOn trains the head on one set of features, and scores its exported model
// on another. The stage names it to the observer.
func (t *task) headOn(ctx context.Context, stage string, on, of examples) (*trained, scored, error) {
	h, err := t.trainer(stage).fit(ctx, on)
	if err != nil {
		return nil, scored{}, err
	}
	s, err := h.score(ctx, on.shape, of, t.classes, t.Runtime)
	return h, s, err
}

func (t *task) trainer(stage string) trainer {
	done := 0
	return trainer{engine: t.Engine, head: t.Head, classes: len(t.classes), seed: t.Seed, progress: func(rows, total int) {
		done += rows
		t.watch.see(stage, done, total)
	}}
}

// score exports the head and scores what ONNX Runtime makes of it.
func (h *trained) score(ctx context.Context, in arch.Shape, of examples, classes []string, o ort.Options) (s scored, err error) {
	model, err := h.model(in, nil)
	if err != nil {
		return s, err
	}
	o.Name = HeadFile
	session, err := ort.OpenModel(model, o)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	logits, err := forward(ctx, session, len(of.labels), ort.FloatRows(of.features, in.Values()), nil)
	if err != nil {
		return s, err
	}
	s.provider = session.Provider()
	s.Score, err = NewScore(logits, of.labels, classes)
	return s, err
}

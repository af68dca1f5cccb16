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
// A head has one network and one recipe for all data (package head), and the baselines
// get the same; no figure of the test file enters.
//
// Costs: both files as float32 in memory, twice during training; with baselines
// the images too, and a training for each of the three.
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
	"moncae/internal/head"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/score"
)

// Options say what is classified, and with what.
type Options struct {
	Train, Test string    // files (or folders of shards) of latents
	Head        head.Kind // "" is head.Linear
	Out         string    // the folder to make
	Overwrite   bool      // what an earlier call left at Out
	Encoder     string    // encoder.onnx, for pipeline.onnx; "" makes none
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
		o.Head = head.Linear
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
	h, scored, err := t.headOn(ctx, "head", t.train.Examples, t.test.Examples)
	if err != nil {
		return nil, err
	}
	r.Score, r.Fit, r.Provider = scored.Score, h.Fit, scored.provider
	models, err := t.models(h)
	if err != nil {
		return nil, err
	}
	r.pipeline = models.pipeline != nil
	if r.pipeline && t.images != nil && t.encoder.runs(t.images.shape) {
		if r.Pipeline, err = t.runPipeline(ctx, models.pipeline, scored.Score); err != nil {
			return nil, err
		}
	}
	if o.Baselines {
		if r.Baselines, err = t.baselines(ctx, scored.Score); err != nil {
			return nil, err
		}
	}
	r.Seconds = time.Since(begin).Seconds()
	return r, writeOut(place, o.Out, models, r)
}

// classification is a Run under way.
type classification struct {
	Options
	watch       Observer
	train, test *latents
	classes     []string
	encoder     *encoderModel // nil without Options.Encoder
	images      *images       // nil without Options.Data
	openings    *int
	uncounted   string // why this use of test images isn't in openings; "" where it is
}

// countUse notes that test images are used, before anything is made of them.
func (t *classification) countUse() error {
	uses, err := run.UsesOf(t.test.meta.Run, t.RunDir, t.Encoder, t.Train, t.Test)
	if err != nil {
		return err
	}
	t.openings, t.uncounted, err = uses.Count(run.Use{By: "classify", Split: t.test.part(), Name: t.test.origin.Name}, t.FS)
	return err
}

// open reads everything that the options name, and refuses what doesn't belong
// together.
func open(ctx context.Context, o Options, watch Observer) (*classification, error) {
	t := &classification{Options: o, watch: watch}
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
	score.Score
	provider string
}

// headOn trains the head on one set of features, and scores its exported model
// on another. The stage names it to the observer.
func (t *classification) headOn(ctx context.Context, stage string, on, of head.Examples) (*head.Trained, scored, error) {
	h, err := t.trainer(stage).Fit(ctx, on)
	if err != nil {
		return nil, scored{}, err
	}
	s, err := scoreOf(ctx, h, on.Shape, of, t.classes, t.Runtime)
	return h, s, err
}

func (t *classification) trainer(stage string) head.Trainer {
	done := 0
	return head.Trainer{Engine: t.Engine, Kind: t.Head, Classes: len(t.classes), Seed: t.Seed, Progress: func(rows, total int) {
		done += rows
		t.watch.see(stage, done, total)
	}}
}

// scoreOf exports the head and scores what ONNX Runtime makes of it.
func scoreOf(ctx context.Context, h *head.Trained, in arch.Shape, of head.Examples, classes []string, o ort.Options) (s scored, err error) {
	model, err := h.Model(in, nil)
	if err != nil {
		return s, err
	}
	o.Name = HeadFile
	session, err := ort.OpenModel(model, o)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	logits, err := forward(ctx, session, len(of.Labels), ort.FloatRows(of.Features, in.Values()), nil)
	if err != nil {
		return s, err
	}
	s.provider = session.Provider()
	s.Score, err = score.New(logits, of.Labels, classes)
	return s, err
}

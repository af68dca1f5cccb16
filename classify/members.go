package classify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
)

// Member is a trained candidate of a run.
type Member struct {
	ID      string
	Arch    arch.Arch
	Weights arch.Weights
	BCE     float64 // on the run's validation images
	// Metadata goes into its pipeline.onnx beside what classify knows.
	Metadata map[string]string
}

// MemberOptions say which members of a run are compared by the use of their
// latents.
type MemberOptions struct {
	Run        string // the run's own id
	Candidates string // what the members are: front or population
	Members    []Member
	Data       string          // name or path of the run's data set
	Images     dataset.Options // preprocessing and sampling as the run's; Split is ignored
	// Fingerprint is that of the run's training images; another data set is
	// refused. "" checks nothing.
	Fingerprint string
	Head        Head // "" is Linear
	Out         string
	Engine      engine.Engine
	Runtime     ort.Options
	Seed        uint64
	FS          durable.FS
	OpenTest    func() (openings *int, err error) // see Options
}

// Table is what `classify RUN --json` prints.
type Table struct {
	Format       string        `json:"format"`
	Version      int           `json:"version"`
	Run          string        `json:"run"`
	Candidates   string        `json:"candidates"`
	Data         string        `json:"data"`
	Head         Head          `json:"head"`
	TrainRows    int           `json:"train_rows"`
	Rows         int           `json:"rows"`      // of the test split
	BytesRaw     int           `json:"bytes_raw"` // an image's pixels
	Members      []MemberScore `json:"members"`
	Paper        *Paper        `json:"paper"` // null where the paper has no row for the data
	Provider     string        `json:"provider"`
	TestOpenings *int          `json:"test_openings"`
	Engine       engine.Info   `json:"engine"`
	Seed         uint64        `json:"seed"`
	Seconds      float64       `json:"seconds"`
	Notes        []string      `json:"notes,omitempty"` // see Report
}

// TableFormat is a Table's format; its version is ReportVersion.
const TableFormat = "moncae.classify.run"

// MemberScore is one member's line. All but ValidationBCE is of the test split.
type MemberScore struct {
	ID              string     `json:"id"`
	Latent          arch.Shape `json:"latent"`
	Values          int        `json:"values"`
	LOC             float64    `json:"loc"`
	Bytes           int        `json:"bytes"` // an image's latent as float32
	BCE             float64    `json:"bce"`   // nats, mean over all pixels
	ValidationBCE   float64    `json:"validation_bce"`
	AccuracyPerByte float64    `json:"accuracy_per_byte"`
	Fit             Fit        `json:"fit"`
	Score
	// PCA is the same head on as many principal components; null where the images
	// don't have so many.
	PCA *Baseline `json:"pca"`
}

// RunMembers trains, exports and scores a head for every member.
func RunMembers(ctx context.Context, o MemberOptions, watch Observer) (_ *Table, err error) {
	begin := time.Now()
	if o.Head == "" {
		o.Head = Linear
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	place, err := claimOut(o.FS, o.Out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	j, err := o.load(ctx)
	if err != nil {
		return nil, err
	}
	t := &Table{
		Format: TableFormat, Version: ReportVersion, Run: o.Run, Candidates: o.Candidates, Data: j.name, Head: o.Head,
		TrainRows: j.train.rows(), Rows: j.test.rows(), BytesRaw: j.images.shape.Values(),
		TestOpenings: j.openings, Engine: o.Engine.Info(), Seed: o.Seed,
		Notes: classNotes(j.train.labels, j.test.labels, j.classes),
	}
	j.watch = watch
	out := files{}
	for i, m := range o.Members {
		s, err := j.member(ctx, m, fmt.Sprintf("%s, %d of %d", m.ID, i+1, len(o.Members)), out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.ID, err)
		}
		t.Members = append(t.Members, s.MemberScore)
		t.Provider = s.provider
	}
	t.Paper = besidePaper(j.name, j.images.shape, t.Members)
	t.Seconds = time.Since(begin).Seconds()
	return t, out.write(place, o.Out, t, "table", t)
}

func (o MemberOptions) validate() error {
	if err := o.Head.Validate(); err != nil {
		return err
	}
	if o.Data == "" || o.Out == "" {
		return fault.Usagef("--data NAME|PATH (the run's data set) and --out DIR are needed")
	}
	if len(o.Members) == 0 {
		return fault.Usagef("the run has no candidate to classify with: its %s is empty", o.Candidates)
	}
	return nil
}

// job is a RunMembers under way: a task whose latents change from member to
// member.
type job struct {
	task
	name  string
	codes codes
}

// load reads the run's training split, and only then opens the test data.
func (o MemberOptions) load(ctx context.Context) (*job, error) {
	o.Images.Split = "train"
	train, err := dataset.Load(ctx, o.Data, o.Images)
	if err != nil {
		return nil, err
	}
	if o.Fingerprint != "" && train.Info.Fingerprint != o.Fingerprint {
		return nil, fault.Usagef("%s is not the run's data set: its fingerprint is %s, the run's %s", o.Data, short(train.Info.Fingerprint), short(o.Fingerprint))
	}
	if in := o.Members[0].Arch.Input; in != train.Shape {
		return nil, fault.Usagef("%s has images %v, the run's encoders take %v", o.Data, train.Shape, in)
	}
	j := &job{name: train.Name, codes: codesFor(o.Members, min(train.Shape.Values(), train.Rows()))}
	if j.train, err = labelled(o.Data+", training split", train); err != nil {
		return nil, err
	}
	if o.OpenTest != nil {
		if j.openings, err = o.OpenTest(); err != nil {
			return nil, err
		}
	}
	o.Images.Split = "test"
	test, err := dataset.Load(ctx, o.Data, o.Images)
	if err != nil {
		return nil, err
	}
	if train.Shape != test.Shape {
		return nil, fault.Usagef("%s: training images are %v, test images %v", o.Data, train.Shape, test.Shape)
	}
	j.Options = Options{Head: o.Head, Engine: o.Engine, Runtime: o.Runtime, Seed: o.Seed}
	j.images = &images{train.Shape, train.Images, test.Images, true}
	if j.test, err = labelled(o.Data+", test split", test); err != nil {
		return nil, err
	}
	j.train.meta.Classes, j.test.meta.Classes = train.Classes, test.Classes
	j.classes = classesOf(j.train, j.test)
	return j, nil
}

// labelled are a split's labels where its latents will be.
func labelled(name string, s *dataset.Set) (*latents, error) {
	column := make([]int64, len(s.Labels))
	for i, v := range s.Labels {
		column[i] = int64(v)
	}
	if s.Labels == nil {
		column = nil
	}
	labels, err := labelsOf(name, column, s.Rows(), s.Classes)
	return &latents{path: name, examples: examples{labels: labels}}, err
}

type memberScored struct {
	MemberScore
	provider string
}

// member encodes all images, trains and scores the head, and adds the models to
// out. The stage names it to the observer.
func (j *job) member(ctx context.Context, m Member, stage string, out files) (s memberScored, err error) {
	nets, err := onnxnet.Build(m.Arch, m.Weights, onnx.Float)
	if err != nil {
		return s, fault.Damagedf("%w", err)
	}
	latent := m.Arch.Latent()
	j.train.shape, j.test.shape = latent, latent
	if j.train.features, j.test.features, err = j.encode(ctx, nets.Encoder, stage); err != nil {
		return s, err
	}
	h, score, err := j.headOn(ctx, stage, j.train.examples, j.test.examples)
	if err != nil {
		return s, err
	}
	s.provider = score.provider
	s.MemberScore = MemberScore{
		ID: m.ID, Latent: latent, Values: latent.Values(), LOC: m.Arch.LOC(), Bytes: 4 * latent.Values(),
		ValidationBCE: m.BCE, Fit: h.fit, Score: score.Score,
	}
	s.AccuracyPerByte = s.Accuracy / float64(s.Bytes)
	if s.BCE, err = j.reconstructionLoss(ctx, nets.Decoder); err != nil {
		return s, err
	}
	if s.PCA, err = j.besidePCA(ctx, score.Score); err != nil {
		return s, err
	}
	nets.Encoder.SetMetadata(m.Metadata)
	j.train.meta.Encoder = nets.Encoder.Hash()
	j.encoder = &encoder{m.ID, nets.Encoder}
	models, err := j.models(h)
	if err != nil {
		return s, err
	}
	maps.Copy(out, files{m.ID + "/" + HeadFile: models.head.Bytes(), m.ID + "/" + PipelineFile: models.pipeline.Bytes()})
	return s, nil
}

// reconstructionLoss is the binary cross-entropy of what the decoder makes of
// the test latents, in nats, a mean over all pixels.
func (j *job) reconstructionLoss(ctx context.Context, decoder *onnx.Model) (bce float64, err error) {
	o := j.Runtime
	o.Name = "decoder"
	session, err := ort.OpenModel(decoder, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return lossOf(ctx, session, j.test, j.images)
}

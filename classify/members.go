package classify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/metric"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/rundir"
)

// MemberOptions say which members of a run are compared by the use of their
// latents.
type MemberOptions struct {
	Candidates string          // what Run.Select takes
	Data       string          // name or path of the run's data set; "" is where it was
	Images     dataset.Options // how it is found; preprocessing and Split are the run's
	Head       Head            // "" is Linear
	Out        string
	Overwrite  bool // what an earlier call left at Out
	Engine     engine.Engine
	Runtime    ort.Options
	Seed       uint64
	FS         durable.FS
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

// RunMembers trains, exports and scores a head for every member, on the run's test
// data, whose opening is noted. The run keeps the table.
func RunMembers(ctx context.Context, r *run.Run, o MemberOptions, watch Observer) (*Table, error) {
	c, err := comparisonOf(r, o)
	if err != nil {
		return nil, err
	}
	t, err := c.run(ctx, watch)
	if err != nil {
		return nil, err
	}
	content, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return nil, err
	}
	return t, rundir.KeepTable(r.Path, *t.TestOpenings, append(content, '\n'), o.FS)
}

// comparison is a RunMembers to do.
type comparison struct {
	MemberOptions
	id          string // the run's own
	fingerprint string // of the run's training images; "" takes any
	members     []run.Trained
	openTest    func() (openings *int, err error) // before test data are read
}

func comparisonOf(r *run.Run, o MemberOptions) (c comparison, err error) {
	c = comparison{MemberOptions: o, id: r.Manifest.Run, fingerprint: r.Manifest.Data.Fingerprint}
	if c.Data, c.Images, err = r.Recorded(o.Data, o.Images); err != nil {
		return c, err
	}
	c.openTest = func() (*int, error) {
		n, err := rundir.NoteTest(r.Path, "classify", o.FS)
		return &n, err
	}
	ids, err := r.Select(o.Candidates)
	if err != nil {
		return c, err
	}
	for _, id := range ids {
		t, err := r.Trained(id)
		if err != nil {
			return c, err
		}
		c.members = append(c.members, t)
	}
	return c, nil
}

func (c comparison) run(ctx context.Context, watch Observer) (_ *Table, err error) {
	begin := time.Now()
	if c.Head == "" {
		c.Head = Linear
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	place, err := claimOut(c.FS, c.Out, c.Overwrite)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	j, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	t := &Table{
		Format: TableFormat, Version: ReportVersion, Run: c.id, Candidates: c.Candidates, Data: j.name, Head: c.Head,
		TrainRows: j.train.rows(), Rows: j.test.rows(), BytesRaw: j.images.shape.Values(),
		TestOpenings: j.openings, Engine: c.Engine.Info(), Seed: c.Seed,
		Notes: classNotes(j.train.labels, j.test.labels, j.classes),
	}
	j.watch = watch
	out := files{}
	for i, m := range c.members {
		s, err := j.member(ctx, m, fmt.Sprintf("%s, %d of %d", m.ID, i+1, len(c.members)), out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.ID, err)
		}
		t.Members = append(t.Members, s.MemberScore)
		t.Provider = s.provider
	}
	t.Paper = besidePaper(j.name, j.images.shape, t.Members)
	t.Seconds = time.Since(begin).Seconds()
	return t, out.write(place, c.Out, t, "table", t)
}

func (c comparison) validate() error {
	if err := c.Head.Validate(); err != nil {
		return err
	}
	if c.Out == "" {
		return fault.Usagef("--out DIR is needed")
	}
	if len(c.members) == 0 {
		return fault.Usagef("the run has no candidate to classify with: its %s is empty", c.Candidates)
	}
	return nil
}

// membersTask is a comparison under way: a task whose latents change from member
// to member.
type membersTask struct {
	task
	name  string
	codes codes
}

// load reads the run's training split, and only then opens the test data.
func (c comparison) load(ctx context.Context) (*membersTask, error) {
	c.Images.Split = "train"
	train, err := dataset.Load(ctx, c.Data, c.Images)
	if err != nil {
		return nil, err
	}
	if c.fingerprint != "" && train.Info.Fingerprint != c.fingerprint {
		return nil, fault.Usagef("%s is not the run's data set: its fingerprint is %s, the run's %s", c.Data, short(train.Info.Fingerprint), short(c.fingerprint))
	}
	if in := c.members[0].Arch.Input; in != train.Shape {
		return nil, fault.Usagef("%s has images %v, the run's encoders take %v", c.Data, train.Shape, in)
	}
	j := &membersTask{name: train.Name, codes: codesFor(c.members, min(train.Shape.Values(), train.Rows()))}
	if j.train, err = labelled(c.Data+", training split", train); err != nil {
		return nil, err
	}
	if j.openings, err = c.openTest(); err != nil {
		return nil, err
	}
	c.Images.Split = "test"
	test, err := dataset.Load(ctx, c.Data, c.Images)
	if err != nil {
		return nil, err
	}
	if train.Shape != test.Shape {
		return nil, fault.Usagef("%s: training images are %v, test images %v", c.Data, train.Shape, test.Shape)
	}
	j.Options = Options{Head: c.Head, Engine: c.Engine, Runtime: c.Runtime, Seed: c.Seed}
	j.images = &images{train.Shape, train.Images, test.Images, true}
	if j.test, err = labelled(c.Data+", test split", test); err != nil {
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
func (j *membersTask) member(ctx context.Context, m run.Trained, stage string, out files) (s memberScored, err error) {
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
		ValidationBCE: m.Best().Figures.BCE, Fit: h.fit, Score: score.Score,
	}
	s.AccuracyPerByte = s.Accuracy / float64(s.Bytes)
	if s.BCE, err = j.reconstructionLoss(ctx, nets.Decoder); err != nil {
		return s, err
	}
	if s.PCA, err = j.besidePCA(ctx, score.Score); err != nil {
		return s, err
	}
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
func (j *membersTask) reconstructionLoss(ctx context.Context, decoder *onnx.Model) (bce float64, err error) {
	o := j.Runtime
	o.Name = "decoder"
	session, err := ort.OpenModel(decoder, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	sum, per := 0.0, j.images.shape.Values()
	err = session.Rows(ctx, j.test.rows(), forwardBatch, ort.FloatRows(j.test.features, j.test.shape.Values()), func(y []float32, from, to int) {
		sum += metric.CrossEntropy(y, j.images.test[from*per:to*per])
	})
	return sum / float64(j.test.rows()*per), err
}

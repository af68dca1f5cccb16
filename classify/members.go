package classify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/head"
	"moncae/internal/metric"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/score"
)

// MemberOptions say which members of a run are compared by the use of their
// latents.
type MemberOptions struct {
	Candidates []string        // what Run.Select takes
	Data       string          // name or path of the run's data set; "" is where it was
	Images     dataset.Options // how it is found; preprocessing and Split are the run's
	Head       head.Kind       // "" is head.Linear
	Out        string
	Overwrite  bool // what an earlier call left at Out
	Engine     engine.Engine
	Runtime    ort.Options
	Seed       uint64
	FS         durable.FS
}

// RunMembers trains, exports and scores a head for every member, on the run's test
// data, whose opening is noted. The run keeps the table.
func RunMembers(ctx context.Context, r *run.Run, o MemberOptions, watch Observer) (*score.Table, error) {
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
	ids, err := r.Select(o.Candidates...)
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

func (c comparison) run(ctx context.Context, watch Observer) (_ *score.Table, err error) {
	begin := time.Now()
	if c.Head == "" {
		c.Head = head.Linear
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
	t := &score.Table{
		Format: score.TableFormat, Version: score.TableVersion, Run: c.id, Candidates: strings.Join(c.Candidates, ", "), Data: j.name, Head: c.Head,
		TrainRows: j.train.rows(), Rows: j.test.rows(), BytesRaw: j.images.shape.Values(),
		TestOpenings: j.openings, Engine: c.Engine.Info(), Seed: c.Seed,
		Notes: classNotes(j.train.Labels, j.test.Labels, j.classes),
	}
	j.watch = watch
	out := files{}
	for i, m := range c.members {
		s, err := j.member(ctx, m, fmt.Sprintf("%s, %d of %d", m.ID, i+1, len(c.members)), out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.ID, err)
		}
		t.Members = append(t.Members, s.Member)
		t.Provider = s.provider
	}
	t.Paper = score.BesidePaper(j.name, j.images.shape, t.Members)
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
		return fault.Usagef("the run has no candidate to classify with: its %s is empty", strings.Join(c.Candidates, ", "))
	}
	return nil
}

// memberClassification is a comparison under way: a classification whose latents change from member
// to member.
type memberClassification struct {
	classification
	name  string
	codes codes
}

// load reads the images of the run, and only then opens the test data.
func (c comparison) load(ctx context.Context) (*memberClassification, error) {
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
	train = train.Labelled() // val may have no labels
	j := &memberClassification{name: train.Name, codes: codesFor(c.members, min(train.Shape.Values(), train.Rows()))}
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
	return &latents{path: name, Examples: head.Examples{Labels: labels}}, err
}

type memberScored struct {
	score.Member
	provider string
}

// member encodes all images, trains and scores the head, and adds the models to
// out. The stage names it to the observer.
func (j *memberClassification) member(ctx context.Context, m run.Trained, stage string, out files) (s memberScored, err error) {
	nets, err := onnxnet.Build(m.Arch, m.Weights, onnx.Float)
	if err != nil {
		return s, fault.Damagedf("%w", err)
	}
	latent := m.Arch.Latent()
	j.train.Shape, j.test.Shape = latent, latent
	if j.train.Features, j.test.Features, err = j.encode(ctx, nets.Encoder, stage); err != nil {
		return s, err
	}
	h, scored, err := j.headOn(ctx, stage, j.train.Examples, j.test.Examples)
	if err != nil {
		return s, err
	}
	s.provider = scored.provider
	s.Member = score.Member{
		ID: m.ID, Latent: latent, Values: latent.Values(), LOC: m.Arch.LOC(), Bytes: 4 * latent.Values(),
		ValidationBCE: m.Best().Figures.BCE, Fit: h.Fit, Score: scored.Score,
	}
	s.AccuracyPerByte = s.Accuracy / float64(s.Bytes)
	if s.BCE, err = j.reconstructionLoss(ctx, nets.Decoder); err != nil {
		return s, err
	}
	if s.PCA, err = j.besidePCA(ctx, scored.Score); err != nil {
		return s, err
	}
	j.train.meta.Encoder = nets.Encoder.Hash()
	j.encoder = &encoderModel{path: m.ID, model: nets.Encoder}
	models, err := j.models(h)
	if err != nil {
		return s, err
	}
	maps.Copy(out, files{m.ID + "/" + HeadFile: models.head.Bytes(), m.ID + "/" + PipelineFile: models.pipeline.Bytes()})
	return s, nil
}

// reconstructionLoss is the binary cross-entropy of what the decoder makes of
// the test latents, in nats, a mean over all pixels.
func (j *memberClassification) reconstructionLoss(ctx context.Context, decoder *onnx.Model) (bce float64, err error) {
	o := j.Runtime
	o.Name = "decoder"
	session, err := ort.OpenModel(decoder, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	sum, per := 0.0, j.images.shape.Values()
	err = session.Rows(ctx, j.test.rows(), forwardBatch, ort.FloatRows(j.test.Features, j.test.Shape.Values()), func(y []float32, from, to int) {
		sum += metric.CrossEntropy(y, j.images.test[from*per:to*per])
	})
	return sum / float64(j.test.rows()*per), err
}

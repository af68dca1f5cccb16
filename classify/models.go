package classify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/head"
	"moncae/internal/latent"
	"moncae/internal/metakey"
	"moncae/internal/modelinput"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/score"
	"moncae/internal/version"
)

// models are what a Run hands over.
type models struct {
	head, pipeline *onnx.Model // pipeline is nil without an encoder
}

func (t *classification) models(h *head.Trained) (m models, err error) {
	classes, err := json.Marshal(t.classes)
	if err != nil {
		return m, err
	}
	metadata := map[string]string{
		metakey.Version: version.Number(), metakey.Head: string(t.Head), metakey.Classes: string(classes),
	}
	for key, v := range map[string]string{metakey.Encoder: t.train.meta.Encoder, metakey.Dataset: t.train.meta.Dataset} {
		if v != "" {
			metadata[key] = v
		}
	}
	if m.head, err = h.Model(t.train.Shape, metadata); err != nil || t.encoder == nil {
		return m, err
	}
	if m.pipeline, err = onnxnet.Pipeline(t.encoder.model, m.head); err != nil {
		return m, err
	}
	all := m.pipeline.Metadata()
	maps.Copy(all, metadata)
	m.pipeline.SetMetadata(all)
	return m, nil
}

// encoderModel is the one that made the latents.
type encoderModel struct {
	path  string
	model *onnx.Model     // its output is N×C×H×W float32, whatever the file's is
	takes modelinput.Spec // of an image
}

// openEncoder refuses a model that is not the latents' own.
func openEncoder(path string, l *latents) (*encoderModel, error) {
	m, err := onnx.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch hash := m.Hash(); {
	case l.meta.Encoder == "":
		return nil, fault.Usagef("%s does not say which encoder made it (metadata %s), so that %s can't be checked; leave --encoder away", l.path, metakey.Encoder, path)
	case l.meta.Encoder != hash:
		return nil, fault.Usagef("%s is not the encoder of %s: its hash is %s, the latents' encoder has %s", path, l.path, short(hash), short(l.meta.Encoder))
	}
	e := &encoderModel{path: path, model: m}
	if text := l.meta.Preprocess; text != "" {
		if err := json.Unmarshal([]byte(text), &e.takes); err != nil || e.takes.Check() != nil {
			return nil, fault.Damagedf("%s: metadata %s: %.200q", l.path, metakey.Preprocess, text)
		}
	}
	e.takes = e.takes.Full()
	if m.Own() {
		return e, nil
	}
	output := cmp.Or(e.takes.Output, m.Outputs()[0].Name)
	s := l.meta.Shape
	e.model = m.AsImages(output, e.takes.Layout == modelinput.NHWC, [3]int64{int64(s.C), int64(s.H), int64(s.W)})
	if l.meta.Preprocess != "" {
		all := m.Metadata()
		all[metakey.Preprocess] = l.meta.Preprocess
		e.model.SetMetadata(all)
	}
	return e, nil
}

// rows are what the encoder takes for images.
func (e *encoderModel) rows(images []uint8, of arch.Shape) ort.Source {
	table, values := e.takes.Table(), of.Values()
	return func(buffer []float32, from, to int) []float32 {
		table.Fill(buffer, images[from*values:to*values], e.takes.Layout, of.C, of.H*of.W)
		return buffer
	}
}

// verify encodes the first training images and compares with their latents: a
// data set of other images with the same labels is refused.
func (t *classification) verify(ctx context.Context) (err error) {
	if !t.encoder.runs(t.images.shape) {
		return nil
	}
	o := t.Runtime
	o.Name = t.encoder.path
	session, err := ort.OpenModel(t.encoder.model, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	n := min(verifiedRows, t.train.rows())
	got, err := forward(ctx, session, n, t.encoder.rows(t.images.train, t.images.shape), nil)
	if err != nil {
		return err
	}
	s := head.StandardOf(t.train.Features, t.train.Shape.Values(), 0)
	values := t.train.Shape.Values()
	for i := range n {
		if !alike(s, got[i*values:(i+1)*values], t.train.row(i), likeness) {
			return fault.Usagef("%s is not the data set of %s: %s makes another latent of image %d", t.Data, t.train.path, t.encoder.path, t.train.ids[i])
		}
	}
	return nil
}

// verifiedRows is the number of images that verify encodes.
const verifiedRows = 64

// runs tells whether the encoder's input are images of the shape as float32, in
// batches of any size. Others are run by compress alone.
func (e *encoderModel) runs(image arch.Shape) bool {
	in := e.model.Inputs()
	if len(in) != 1 || in[0].Type != onnx.Float {
		return false
	}
	want := []int64{-1, int64(image.C), int64(image.H), int64(image.W)}
	if e.takes.Layout == modelinput.NHWC {
		want = []int64{-1, want[2], want[3], want[1]}
	}
	return slices.Equal(in[0].Dims, want)
}

// Pipeline is what pipeline.onnx, from image to logits, makes of the test images.
type Pipeline struct {
	Accuracy     float64 `json:"accuracy"`
	CrossEntropy float64 `json:"cross_entropy"`
	// Differs counts the rows that it classifies otherwise than the head does the
	// stored latents, which may be rounded to float16 or int8.
	Differs  int    `json:"rows_that_differ"`
	Provider string `json:"provider"`
}

func (t *classification) runPipeline(ctx context.Context, model *onnx.Model, latents score.Score) (p *Pipeline, err error) {
	o := t.Runtime
	o.Name = PipelineFile
	session, err := ort.OpenModel(model, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	logits, err := forward(ctx, session, t.test.rows(), t.encoder.rows(t.images.test, t.images.shape), t.stage("pipeline"))
	if err != nil {
		return nil, err
	}
	s, err := score.New(logits, t.test.Labels, t.classes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", PipelineFile, err)
	}
	p = &Pipeline{Accuracy: s.Accuracy, CrossEntropy: s.CrossEntropy, Provider: session.Provider(), Differs: s.Differs(latents)}
	return p, nil
}

func (t *classification) stage(name string) func(done, total int) {
	return func(done, total int) { t.watch.see(name, done, total) }
}

// architecture is the latents' autoencoder, where their metadata tell it.
func architecture(m latent.Meta) (a arch.Arch, ok bool) {
	if json.Unmarshal([]byte(m.Arch), &a) != nil || a.Validate() != nil {
		return arch.Arch{}, false
	}
	return a, a.Latent() == m.Shape
}

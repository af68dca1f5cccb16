package classify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"moncae/internal/arch"
	"moncae/internal/head"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/pca"
	"moncae/internal/score"
)

// baselines trains and scores the same head on other features of the same images.
func (t *classification) baselines(ctx context.Context, latents score.Score) (*Baselines, error) {
	b := &Baselines{}
	for _, kind := range []struct {
		to    **score.Baseline
		stage string
		make  func(context.Context) (*features, error)
	}{
		{&b.PCA, "pca", t.components},
		{&b.Random, "random", t.untrained},
		{&b.Pixels, "pixels", t.pixels},
	} {
		f, err := kind.make(ctx)
		if err != nil {
			return nil, fmt.Errorf("baseline %s: %w", kind.stage, err)
		}
		if f == nil {
			continue
		}
		s, err := t.headOnFeatures(ctx, kind.stage, f)
		if err != nil {
			return nil, fmt.Errorf("baseline %s: %w", kind.stage, err)
		}
		*kind.to = s.beside(latents)
	}
	return b, nil
}

// scoredFeatures is a head on features that are not the latents.
type scoredFeatures struct {
	what   string
	values int
	score.Score
}

func (t *classification) headOnFeatures(ctx context.Context, stage string, f *features) (*scoredFeatures, error) {
	_, s, err := t.headOn(ctx, stage, head.Examples{Shape: f.shape, Features: f.train, Labels: t.train.Labels}, head.Examples{Shape: f.shape, Features: f.test, Labels: t.test.Labels})
	return &scoredFeatures{f.what, f.shape.Values(), s.Score}, err
}

func (s *scoredFeatures) beside(latents score.Score) *score.Baseline {
	return &score.Baseline{Features: s.what, Values: s.values, Score: s.Score, Latents: latents.Against(s.Score)}
}

// features of the training and the test images.
type features struct {
	what        string
	shape       arch.Shape
	train, test []float32
}

// components are codes of principal components, as many as there are latent
// values; nil where the images don't have so many.
func (t *classification) components(context.Context) (*features, error) {
	k, d := t.train.Shape.Values(), t.images.shape.Values()
	if k > min(d, t.train.rows()) {
		return nil, nil
	}
	t.watch.see("pca", 0, 1)
	p := pca.Fit(t.images.train, d, k)
	return componentFeatures(p, k, p.Codes(t.images.train), p.Codes(t.images.test)), nil
}

// componentFeatures are k codes each of the training and the test images, as a head
// takes them.
func componentFeatures(p pca.Components, k int, train, test []float32) *features {
	return &features{
		what:  fmt.Sprintf("%d principal components of %d training images", k, p.Rows),
		shape: arch.Shape{C: k, H: 1, W: 1},
		train: train, test: test,
	}
}

// untrained are codes of the latents' own encoder with the weights that a
// training begins with; where the latents don't tell the architecture, of a
// random projection.
func (t *classification) untrained(ctx context.Context) (*features, error) {
	a, ok := architecture(t.train.meta)
	if !ok || a.Input != t.images.shape {
		return t.projected(), nil
	}
	nets, err := onnxnet.Build(a, arch.InitialWeights(a.Params(), t.Seed), onnx.Float)
	if err != nil {
		return nil, err
	}
	f := &features{what: "the encoder's architecture with random weights", shape: a.Latent()}
	f.train, f.test, err = t.encode(ctx, nets.Encoder, "random")
	return f, err
}

// encode runs an encoder on all images.
func (t *classification) encode(ctx context.Context, encoder *onnx.Model, stage string) (train, test []float32, err error) {
	o := t.Runtime
	o.Name = stage + " encoder"
	session, err := ort.OpenModel(encoder, o)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return encodeImages(ctx, session, t.images, t.stage(stage))
}

func encodeImages(ctx context.Context, s *ort.Session, x *images, progress func(done, rows int)) (train, test []float32, err error) {
	values := x.shape.Values()
	if train, err = forward(ctx, s, len(x.train)/values, ort.ByteRows(x.train, values), progress); err != nil {
		return nil, nil, err
	}
	test, err = forward(ctx, s, len(x.test)/values, ort.ByteRows(x.test, values), progress)
	return train, test, err
}

func (t *classification) projected() *features {
	k, d := t.train.Shape.Values(), t.images.shape.Values()
	rng := rand.New(rand.NewPCG(t.Seed, 0x70726f6a)) // "proj"
	p := pca.Components{Mean: make([]float32, d), Axes: make([]float32, d*k)}
	for i := range p.Axes {
		p.Axes[i] = float32(rng.NormFloat64() / math.Sqrt(float64(d)))
	}
	return &features{
		what:  fmt.Sprintf("a random projection to %d values (the latents don't tell their encoder's architecture)", k),
		shape: arch.Shape{C: k, H: 1, W: 1},
		train: p.Codes(t.images.train), test: p.Codes(t.images.test),
	}
}

func (t *classification) pixels(context.Context) (*features, error) {
	return &features{
		what: "all pixels", shape: t.images.shape,
		train: unit(t.images.train), test: unit(t.images.test),
	}, nil
}

// unit gives bytes as values in [0, 1].
func unit(images []uint8) []float32 {
	return ort.ByteRows(images, len(images))(make([]float32, len(images)), 0, 1)
}

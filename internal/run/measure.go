package run

import (
	"context"
	"errors"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/metric"
)

// Loaded is a data set on an engine, for a run's networks to work on.
type Loaded struct {
	run  *Run
	eng  engine.Engine
	set  *dataset.Set
	data engine.Data
}

// Load brings images, those of the run or others of their shape, to an engine.
func (r *Run) Load(eng engine.Engine, set *dataset.Set) (*Loaded, error) {
	if err := r.fits(set); err != nil {
		return nil, err
	}
	data, err := eng.Load(engine.Source{Shape: set.Shape, Images: set.Images})
	if err != nil {
		return nil, err
	}
	return &Loaded{r, eng, set, data}, nil
}

// fits refuses images of another shape.
func (r *Run) fits(set *dataset.Set) error {
	if set.Shape != r.Manifest.Data.Shape {
		return fault.Usagef("%s: images of %v, the run's are %v: give it the same preprocessing", set.Name, set.Shape, r.Manifest.Data.Shape)
	}
	return nil
}

// Close gives the images' memory back.
func (l *Loaded) Close() error { return l.data.Close() }

// with compiles a candidate with its best weights and gives it to use.
func (l *Loaded) with(id string, batch int, use func(engine.Program, *graph.Net) error) (err error) {
	t, err := l.run.Trained(id)
	if err != nil {
		return err
	}
	return t.measurement(l.run.Config, batch).with(l.eng, l.data, use)
}

// Measure measures a candidate's reconstructions of the images in rows, nil for
// all. Looking at test data is the caller's to note (Run.Test does).
func (l *Loaded) Measure(id string, rows []int32) (f Figures, err error) {
	t, err := l.run.Trained(id)
	if err != nil {
		return f, err
	}
	return t.measurement(l.run.Config, l.run.Config.Batch).Of(l.eng, l.data, l.set, rows)
}

// Measurement is one of a network's reconstructions.
type Measurement struct {
	Arch      arch.Arch      `json:"arch"`
	Optimizer arch.Optimizer `json:"optimizer"`
	Loss      graph.Loss     `json:"loss"`
	Batch     int            `json:"batch"`
	Weights   arch.Weights   `json:"-"`
}

func (t Trained) measurement(c Config, batch int) Measurement {
	return Measurement{t.Arch, t.Recipe.Optimizer, c.Loss, batch, t.Weights}
}

// with compiles the network and gives it to use.
func (m Measurement) with(eng engine.Engine, data engine.Data, use func(engine.Program, *graph.Net) error) (err error) {
	net, err := graph.Autoencoder(m.Arch, m.Batch, m.Loss, 0)
	if err != nil {
		return err
	}
	p, err := eng.Compile(net, data, engine.Config{Optimizer: m.Optimizer, Weights: m.Weights})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return use(p, net)
}

// Of measures the images in rows, nil for all, of set, which data is on eng.
func (m Measurement) Of(eng engine.Engine, data engine.Data, set *dataset.Set, rows []int32) (f Figures, err error) {
	if rows == nil {
		rows = make([]int32, set.Rows())
		for i := range rows {
			rows[i] = int32(i)
		}
	}
	m.Batch = min(m.Batch, len(rows))
	err = m.with(eng, data, func(p engine.Program, _ *graph.Net) error {
		figures, err := p.Evaluate(rows)
		if err != nil {
			return err
		}
		ssim, err := SSIM(p, set, rows)
		f = FiguresOf(figures, ssim)
		return err
	})
	return f, err
}

// Measurer measures networks on images that Load has brought to it.
type Measurer interface {
	Load(set *dataset.Set) (unload func() error, err error)
	// Measure measures all images.
	Measure(context.Context, Measurement) (Figures, error)
}

// TestFigures are a candidate's figures on the run's test data.
type TestFigures struct {
	ID   string `json:"id"`
	Rows int    `json:"rows"`
	Figures
	Openings int `json:"test_openings"` // so far, this one included
}

// MeasureTest opens the test data of the run in the folder path, which Run.Test
// notes, and measures candidates on them.
func MeasureTest(ctx context.Context, path string, ids []string, by Measurer, o Opening) (all []TestFigures, err error) {
	r, err := Open(path)
	if err != nil {
		return nil, err
	}
	set, openings, err := r.Test(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := r.fits(set); err != nil {
		return nil, err
	}
	unload, err := by.Load(set)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unload()) }()
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, err := r.Trained(id)
		if err != nil {
			return nil, err
		}
		f, err := by.Measure(ctx, t.measurement(r.Config, r.Config.Batch))
		if err != nil {
			return nil, err
		}
		all = append(all, TestFigures{id, set.Rows(), f, openings})
	}
	return all, nil
}

// Forward is what the trainer's own float32 pass makes of some images, NCHW.
type Forward struct {
	Images  []float32 // in [0, 1]
	Latents []float32
	Outputs []float32 // reconstructions: sigmoids of the logits
}

// forwardBatch is how many images Forward takes at a time.
const forwardBatch = 32

// Forward runs the images in rows through a candidate.
func (l *Loaded) Forward(id string, rows []int32) (f Forward, err error) {
	err = l.with(id, forwardBatch, func(p engine.Program, net *graph.Net) error {
		f.Latents = make([]float32, len(rows)*net.Latent.Values())
		f.Outputs = make([]float32, len(rows)*l.set.Shape.Values())
		return p.Infer(rows, f.Latents, f.Outputs)
	})
	f.Images = unit(l.set, rows)
	return f, err
}

// unit are images as values in [0, 1].
func unit(set *dataset.Set, rows []int32) []float32 {
	out := make([]float32, 0, len(rows)*set.Shape.Values())
	for _, r := range rows {
		for _, v := range set.Image(int(r)) {
			out = append(out, float32(v)/255)
		}
	}
	return out
}

// measureBlock is how many images are reconstructed at a time.
const measureBlock = 256

// SSIM is the mean structural similarity of rows' reconstructions, which engines
// don't measure.
func SSIM(p engine.Program, set *dataset.Set, rows []int32) (float64, error) {
	n := set.Shape.Values()
	output := make([]float32, min(measureBlock, len(rows))*n)
	sum := 0.0
	for at := 0; at < len(rows); at += measureBlock {
		some := rows[at:min(at+measureBlock, len(rows))]
		if err := p.Infer(some, nil, output[:len(some)*n]); err != nil {
			return 0, err
		}
		images := unit(set, some)
		for i := range some {
			sum += metric.SSIM(images[i*n:(i+1)*n], output[i*n:(i+1)*n], set.Shape)
		}
	}
	return sum / float64(len(rows)), nil
}

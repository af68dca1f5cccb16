package compress

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/modelinput"
)

// BenchOptions say what is measured.
type BenchOptions struct {
	Encoder string
	Data    string
	Dataset dataset.Options
	Batch   int // 0: as compress takes it
	Rounds  int // 0: 5
	Workers int
	Device  string
	Library string
	Foreign modelinput.Spec
	// Python is an interpreter with Pillow, onnxruntime and pyarrow; with it a
	// folder of images is also compressed by a loop in Python. "": not.
	Python string
}

// BenchReport compares a whole compression, from decoded images in memory to a
// synced file, with the bare session over float32 tensors that are there
// already: what no pipeline can beat but by using idle cores.
type BenchReport struct {
	Images   int     `json:"images"`
	Batch    int     `json:"batch"`
	Workers  int     `json:"workers"`
	Provider string  `json:"provider"`
	Session  float64 `json:"session_images_per_second"`  // medians
	Compress float64 `json:"compress_images_per_second"` //
	Ratio    float64 `json:"ratio"`                      // of the two, median over rounds that ran side by side

	Loop *LoopReport `json:"python,omitempty"`
}

// Bench measures both, alternating.
func Bench(ctx context.Context, o BenchOptions, observe Observer) (rep BenchReport, err error) {
	if o.Rounds <= 0 {
		o.Rounds = 5
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	dir, err := os.MkdirTemp("", "moncae-bench-")
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	base, err := Options{
		Encoder: o.Encoder, Data: o.Data, Dataset: o.Dataset, Out: filepath.Join(dir, "latents.arrow"), Overwrite: true, Batch: o.Batch,
		Workers: o.Workers, Device: o.Device, Library: o.Library, Foreign: o.Foreign, Decoder: "none", noSample: true,
	}.resolve()
	if err != nil {
		return rep, err
	}
	var py *python
	if o.Python != "" {
		if py, err = newPython(ctx, dir, o.Python, &base); err != nil {
			return rep, err
		}
	}
	enc, data, err := openEncoder(base, 0)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, enc.session.Close()) }()
	set, err := dataset.Load(ctx, o.Data, data)
	if err != nil {
		return rep, err
	}
	if base.Batch, err = enc.bounded(o.Batch, int64(set.Rows()), set.Shape); err != nil {
		return rep, err
	}
	if _, err := enc.fit(set.Info, base.Batch); err != nil {
		return rep, err
	}
	b := bench{options: base, enc: enc, set: set}
	b.prepare()
	rep = BenchReport{Images: set.Rows(), Batch: b.batch, Workers: o.Workers, Provider: enc.session.Provider()}
	var session, whole, ratios []float64
	for i := range o.Rounds + 1 {
		s, err := b.session(ctx)
		if err != nil {
			return rep, err
		}
		w, err := b.compress(ctx)
		if err != nil {
			return rep, err
		}
		if i == 0 {
			continue // the first warms up
		}
		session, whole, ratios = append(session, s), append(whole, w), append(ratios, w/s)
		if observe != nil {
			observe(Progress{Phase: "bench", Rows: int64(i), Total: int64(o.Rounds), PerSec: w})
		}
	}
	rep.Session, rep.Compress, rep.Ratio = median(session), median(whole), median(ratios)
	if py != nil {
		rep.Loop, err = py.rounds(ctx, o.Rounds, b.batch, observe)
	}
	return rep, err
}

// bench is what the rounds share.
type bench struct {
	options Options
	enc     *encoder // with a thread a core, as a session is by default
	set     *dataset.Set
	batch   int
	inputs  []float32
}

// prepare makes the session's input tensors, all of them.
func (b *bench) prepare() {
	j := setup{enc: b.enc}
	j.size(b.options.Batch)
	b.batch = j.batch
	b.inputs = make([]float32, len(b.set.Images))
	b.enc.fill(b.inputs, b.set.Images)
}

// session is the images a second of the session alone.
func (b *bench) session(ctx context.Context) (float64, error) {
	size, values := b.enc.image.Values(), b.enc.latent.Values()
	out := make([]float32, b.batch*values)
	rows := b.set.Rows()
	if b.enc.fixed > 0 {
		rows -= rows % b.batch
	}
	if rows == 0 {
		return 0, fault.Usagef("%s has %d images, fewer than a batch of %d", b.options.Data, b.set.Rows(), b.batch)
	}
	var w scratch
	start := time.Now()
	for at := 0; at < rows; at += b.batch {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n := min(b.batch, rows-at)
		err := b.enc.run(&w, n, b.inputs[at*size:(at+n)*size], b.enc.axes(),
			out[:n*values], axes(b.enc.latent, b.enc.Layout, len(b.enc.out.Dims)))
		if err != nil {
			return 0, err
		}
	}
	return float64(rows) / time.Since(start).Seconds(), nil
}

// compress is the images a second of a whole compression of the set.
func (b *bench) compress(ctx context.Context) (rate float64, err error) {
	enc, data, err := openEncoder(b.options, 1)
	if err != nil {
		return 0, err
	}
	r := &run{options: b.options, data: data, start: time.Now()}
	r.open = func() (dataset.Source, error) { return &memory{set: b.set}, nil }
	r.setup.enc = enc
	rep, err := r.all(ctx)
	return rep.ImagesPerSec, errors.Join(err, r.close())
}

// memory is a set as a source.
type memory struct {
	set *dataset.Set
	at  int
}

func (m *memory) Info() dataset.Info { return m.set.Info }
func (m *memory) Close() error       { return nil }

func (m *memory) Next(b *dataset.Batch, n int) error {
	b.Images, b.Records = b.Images[:0], b.Records[:0]
	n = min(n, m.set.Rows()-m.at)
	if n == 0 {
		return io.EOF
	}
	size := m.set.Shape.Values()
	b.Images = append(b.Images, m.set.Images[m.at*size:(m.at+n)*size]...)
	for i := m.at; i < m.at+n; i++ {
		rec := dataset.Record{ID: m.set.ID(i), Label: -1}
		if m.set.Labels != nil {
			rec.Label = m.set.Labels[i]
		}
		b.Records = append(b.Records, rec)
	}
	m.at += n
	return nil
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

package compress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/ort"
	runs "moncae/internal/run"
)

// Run compresses a data set. observe may be nil.
func Run(ctx context.Context, o Options, observe Observer) (Report, error) {
	o, err := o.resolve()
	if err != nil {
		return Report{}, err
	}
	if err := o.checkWorkers(); err != nil {
		return Report{}, err
	}
	if err := checkOut(o.Out, o.ShardRows > 0, o.Overwrite); err != nil {
		return Report{}, err
	}
	if o, err = o.continued(); err != nil {
		return Report{}, err
	}
	enc, data, err := openEncoder(o, 1)
	if err != nil {
		return Report{}, err
	}
	r := &run{options: o, data: data, observe: observe, start: time.Now()}
	r.open = func() (dataset.Source, error) { return dataset.Open(ctx, o.Data, data) }
	r.setup.enc = enc
	rep, err := r.all(ctx)
	return rep, errors.Join(err, r.close())
}

// checkOut refuses, before hours of work, a place that can't be written to, and
// removes what killed processes left there.
func checkOut(out string, folder, overwrite bool) error {
	info, err := os.Stat(out)
	switch {
	case out == "-":
		return fault.Usagef("--out -: nothing is written to standard output: name a file")
	case err == nil && !info.IsDir() && !info.Mode().IsRegular():
		return fault.Usagef("--out %s is a device or a pipe, which can't be replaced by a whole file: name a file", out)
	case err == nil && folder && !info.IsDir():
		return fault.Usagef("--out %s is a file; with --shard-rows a folder is written", out)
	case err == nil && !folder && info.IsDir():
		return fault.Usagef("--out %s is a folder: name a file, or give --shard-rows", out)
	}
	if !folder {
		if err := durable.Vacant(out, overwrite); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	parent := filepath.Dir(filepath.Clean(out))
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		return fault.Usagef("--out %s: there is no folder %s", out, parent)
	}
	return durable.FS{}.SweepStale(filepath.Clean(out))
}

// run is one compression.
type run struct {
	options Options
	data    dataset.Options
	open    func() (dataset.Source, error)
	observe Observer
	start   time.Time

	setup   setup
	meta    latent.Meta
	info    dataset.Info
	shards  *latent.Shards
	written atomic.Int64
	rows    int64 // written now
	sum     sample
	// In a worker: the shard's first row, and the samples, which the coordinator sums.
	apart   bool
	from    int64
	samples []sample
	notes   []string

	openings *int // of test data, where they are counted
}

func (r *run) close() error {
	err := r.setup.enc.session.Close()
	if r.shards != nil {
		err = errors.Join(err, r.shards.Close())
	}
	if r.setup.dec != nil {
		err = errors.Join(err, r.setup.dec.session.Close())
	}
	return err
}

func (r *run) all(ctx context.Context) (Report, error) {
	src, err := r.prepare()
	if err != nil {
		return Report{}, err
	}
	var before int64
	if r.options.ShardRows > 0 {
		if err := r.openShards(); err != nil {
			return Report{}, errors.Join(err, src.Close())
		}
		before = int64(r.shards.Manifest().Rows)
		if r.shards.Complete() {
			return r.report(before), src.Close()
		}
	}
	if err := r.openTest(); err != nil {
		return Report{}, errors.Join(err, src.Close())
	}
	if r.options.Store.DType == latent.Int8 && r.meta.Quant == nil {
		if src, err = r.calibrate(ctx, src); err != nil {
			return Report{}, err
		}
	}
	if r.options.Pool != nil {
		if err := r.byWorkers(ctx, src, before); err != nil {
			return Report{}, r.interrupted(ctx, err)
		}
		return r.report(before), nil
	}
	if err := r.compress(ctx, src, before); err != nil {
		return Report{}, r.interrupted(ctx, err)
	}
	return r.report(before), nil
}

// openTest counts that rows of a test split will be read.
func (r *run) openTest() error {
	uses, err := runs.UsesOf(r.meta.Run, r.options.RunDir, r.options.Encoder)
	if err != nil {
		return err
	}
	use := runs.Use{By: "compress", Split: r.info.Split, Name: r.info.Name, Source: r.info.Path}
	for _, s := range r.info.Splits {
		if s.Name == use.Split && s.Derived {
			use.SetApart = r.info.TestFraction
		}
	}
	var why string
	r.openings, why, err = uses.Count(use, r.options.FS)
	if why != "" {
		r.notes = append(r.notes, why)
	}
	return err
}

// Partial is an end before the end after which whole shards are there.
type Partial struct {
	Err  error // why
	Out  string
	Rows int // in whole shards
}

func (p *Partial) Error() string { return fmt.Sprintf("%v: %s", p.Err, p.How()) }
func (p *Partial) Unwrap() error { return p.Err }

// How says how to go on.
func (p *Partial) How() string {
	return fmt.Sprintf("%s holds %d rows in whole shards: go on with --resume", p.Out, p.Rows)
}

// interrupted adds what can be done about an end before the end.
func (r *run) interrupted(ctx context.Context, err error) error {
	if r.shards == nil || r.shards.Manifest().Rows == 0 || r.shards.Replaces() {
		return err
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return &Partial{err, r.options.Out, r.shards.Manifest().Rows}
}

// prepare opens the data and the decoder, and settles shapes and metadata.
func (r *run) prepare() (dataset.Source, error) {
	src, err := r.open()
	if err != nil {
		return nil, err
	}
	o, j := r.options, &r.setup
	r.info = src.Info()
	images := r.info.Rows
	if r.data.To > 0 { // a shard's, made in the batches of all
		images = -1
	}
	if o.Batch, err = j.enc.bounded(o.Batch, images, r.info.Shape); err == nil {
		r.notes, err = j.enc.fit(r.info, o.Batch)
	}
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	if j.workers = o.Workers; j.enc.session.Provider() == ort.CUDA {
		j.workers = 2 // one batch runs while the next is made
	}
	j.size(o.Batch)
	j.dtype, j.withError, j.meta = o.Store.DType, o.WithError, &r.meta
	if err := r.openDecoder(); err != nil {
		return nil, errors.Join(err, src.Close())
	}
	most := min(max(sampleArea/int64(r.info.Shape.H*r.info.Shape.W), 16), 256)
	if !o.noSample {
		j.sampling = sampling{most: most, rows: r.info.Rows, all: o.WithError}
	}
	r.describe()
	return src, nil
}

// sampleArea bounds the pixels that PNG and the decoder are tried on.
const sampleArea = 4 << 20

// openShards makes or finds the folder of shards.
func (r *run) openShards() (err error) {
	o := r.options
	key := map[string]string{
		"encoder": r.meta.Encoder, "data": r.meta.Dataset, "rows": strconv.FormatInt(r.info.Rows, 10),
		"bytes": strconv.FormatInt(r.info.SourceBytes, 10), "preprocess": r.meta.Preprocess,
		"sample":  fmt.Sprintf("limit %d, test fraction %g, seed %d", r.data.Limit, r.data.TestFraction, r.data.Seed),
		"--dtype": string(o.Store.DType), "--layout": string(o.Store.Layout), "--format": string(o.Store.Format),
		"--compression": string(o.Store.Compression), "--shard-rows": strconv.Itoa(o.ShardRows),
		"--batch": strconv.Itoa(r.setup.batch), "--with-error": strconv.FormatBool(o.WithError),
		"--on-bad-image": r.data.OnBadImage,
	}
	present := latent.Refuse
	switch {
	case o.Resume:
		present = latent.Resume
	case o.Overwrite:
		present = latent.Replace
	}
	if r.shards, err = latent.CreateShards(r.disk(), o.Out, key, present); err != nil {
		return err
	}
	if o.Store.DType == latent.Int8 {
		r.meta.Quant, err = r.shards.Quant(r.meta.Shape.C)
	}
	return err
}

func (r *run) disk() latent.Disk { return latent.Disk{FS: r.options.FS, Count: &r.written} }

// calibrate reads all of src for the latents' range, and opens the data again.
func (r *run) calibrate(ctx context.Context, src dataset.Source) (dataset.Source, error) {
	sampling, withError := r.setup.sampling, r.setup.withError
	r.setup.sampling.most, r.setup.sampling.all, r.setup.withError = 0, false, false
	defer watch(r.observe, "calibrate", r.info.Rows, 0, &r.setup.done, &r.written)()
	ranges := latent.NewRange(r.meta.Shape)
	p := startPipeline(ctx, &r.setup, src, 0)
	err := func() error {
		for {
			s, err := p.next(ctx)
			if errors.Is(err, io.EOF) {
				return ctx.Err()
			}
			if err != nil {
				return err
			}
			ranges.Add(s.rows.Latents)
			p.release(s)
		}
	}()
	p.close()
	if err = errors.Join(err, src.Close()); err != nil {
		return nil, err
	}
	q, err := ranges.Quant()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.options.Encoder, err)
	}
	r.meta.Quant, r.setup.sampling, r.setup.withError = &q, sampling, withError
	return r.open()
}

// compress writes what src gives behind the rows that are there before.
func (r *run) compress(ctx context.Context, src dataset.Source, before int64) (err error) {
	batch := int64(r.setup.batch)
	rows := &rowSource{ctx: ctx, run: r, drop: before % batch}
	rows.pipe = startPipeline(ctx, &r.setup, src, before-rows.drop)
	defer watch(r.observe, "compress", r.info.Rows, before, &r.setup.done, &r.written)()
	defer func() {
		rows.pipe.close()
		r.info = src.Info()
		err = errors.Join(err, src.Close())
	}()
	first, err := rows.peek()
	if err != nil {
		return err
	}
	if first.Len() == 0 && before == 0 {
		return fault.Usagef("%s: there is no image in it", r.options.Data)
	}
	r.setPaths(first)
	fingerprint := func() string { return src.Info().Fingerprint }
	if r.shards != nil {
		return r.shards.Write(r.meta, r.options.Store, r.options.ShardRows, rows.next, fingerprint)
	}
	_, err = latent.WriteFile(r.disk(), r.options.Out, r.meta, r.options.Store, rows.next, fingerprint)
	return err
}

// setPaths tells by the first rows which columns there are.
func (r *run) setPaths(first latent.Rows) {
	r.meta.Paths = first.Len() > 0 && first.Paths[0] != ""
	r.meta.Splits = r.data.Split == "all" && first.Len() > 0 && first.Splits[0] != ""
}

// take counts a batch's sample; one that begins before the shard is another's.
func (r *run) take(b result) {
	switch {
	case b.first < r.from || b.sample.Rows == 0:
	case r.apart:
		r.samples = append(r.samples, b.sample)
	default:
		r.sum.add(b.sample)
	}
}

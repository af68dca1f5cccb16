package compress

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/version"
	"moncae/internal/worker"
)

// Site makes shards in a worker.
type Site struct {
	Device  string
	Library string // of ONNX Runtime; "" looks in the usual places
}

// Kinds are the tasks that it does.
func (s Site) Kinds() map[string]worker.Kind { return map[string]worker.Kind{kindShard: s.shard} }

func (s Site) shard(ctx context.Context, t worker.Task, say worker.Say) (r worker.Result, err error) {
	var spec shardSpec
	var with shardWith
	if err := errors.Join(json.Unmarshal(t.Spec, &spec), json.Unmarshal(t.With, &with)); err != nil {
		return r, fault.Usagef("a shard: %v", err)
	}
	if spec.Moncae != version.Number() {
		return r, fault.Usagef("a task of moncae %s; this worker is %s", spec.Moncae, version.Number())
	}
	if spec.Number < 0 || spec.ShardRows < 1 || spec.Batch < 1 || spec.begin() >= spec.end() {
		return r, fault.Usagef("a shard: number %d of %d rows each, in batches of %d, of %d rows", spec.Number, spec.ShardRows, spec.Batch, spec.Rows)
	}
	o, err := Options{
		Encoder: spec.Encoder, Decoder: spec.Decoder, Foreign: spec.Foreign, Data: spec.Data, Dataset: spec.Dataset, Out: spec.Out,
		ShardRows: spec.ShardRows, Store: spec.Store, Batch: spec.Batch, WithError: spec.WithError, Workers: with.Cores, Device: s.Device, Library: s.Library,
	}.resolve()
	if err != nil {
		return r, err
	}
	enc, data, err := openEncoder(o, 1)
	if err != nil {
		return r, err
	}
	// Whole batches are encoded, as one process does, for the same bits.
	batch := int64(spec.Batch)
	data.From, data.To = spec.begin()/batch*batch, min((spec.end()+batch-1)/batch*batch, spec.Rows)
	one := &run{options: o, data: data, start: time.Now(), from: spec.begin(), apart: true}
	one.open = func() (dataset.Source, error) { return dataset.Open(ctx, o.Data, data) }
	one.setup.enc, one.setup.begin = enc, data.From
	made, err := one.shardOf(ctx, spec, say)
	if err := errors.Join(err, one.close()); err != nil {
		return r, err
	}
	if r.Data, err = json.Marshal(made); err != nil {
		return r, err
	}
	samples, err := json.Marshal(one.samples)
	r.Parts = []worker.Part{worker.NewPart(partSamples, samples)}
	return r, err
}

// shardOf writes the shard.
func (r *run) shardOf(ctx context.Context, spec shardSpec, say worker.Say) (m shardMade, err error) {
	src, err := r.prepare()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	r.setup.sampling.rows, r.meta.Quant = spec.Rows, spec.Quant
	switch provider := r.setup.enc.session.Provider(); {
	case r.meta.Encoder != spec.EncoderHash:
		return m, fault.Usagef("%s has changed: its SHA-256 is %.12s…, it was %.12s…", spec.Encoder, r.meta.Encoder, spec.EncoderHash)
	case provider != spec.Provider:
		return m, fault.Usagef("a shard for %s; this worker has %s", spec.Provider, provider)
	case r.setup.batch != spec.Batch:
		return m, fault.Usagef("a shard in batches of %d; the encoder takes %d", spec.Batch, r.setup.batch)
	}
	rows := &rowSource{ctx: ctx, run: r, drop: spec.begin() - r.data.From}
	rows.pipe = startPipeline(ctx, &r.setup, src, 0)
	defer rows.pipe.close()
	defer watch(func(Progress) { _ = say(shardTold{r.setup.done.Load()}) }, "", -1, 0, &r.setup.done, &r.written)() // a coordinator that has gone ends the worker
	first, err := rows.peek()
	if err != nil {
		return m, err
	}
	r.setPaths(first)
	m.Paths, m.Splits = r.meta.Paths, r.meta.Splits
	m.Shard, err = latent.WriteShard(r.disk(), spec.Out, spec.Number, r.meta, r.options.Store, spec.ShardRows, rows.next)
	if err == nil && int64(m.Shard.Rows) != spec.end()-spec.begin() {
		err = fault.Usagef("%s: shard %d has %d rows, it should have %d: the data changed", spec.Data, spec.Number, m.Shard.Rows, spec.end()-spec.begin())
	}
	return m, err
}

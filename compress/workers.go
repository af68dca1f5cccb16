package compress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/latent"
	"moncae/internal/modelinput"
	"moncae/internal/version"
	"moncae/internal/worker"
)

// kindShard is the kind of tasks that write a shard, see docs/format/worker.md.
const kindShard = "shard"

// partSamples are the samples of a shard's batches, JSON.
const partSamples = "samples"

// shardSpec is what a shard is made of. Its path are those of the coordinator.
type shardSpec struct {
	Moncae   string `json:"moncae"`
	Provider string `json:"provider"` // of ONNX Runtime

	Encoder     string          `json:"encoder"`
	EncoderHash string          `json:"encoder_sha256"`
	Decoder     string          `json:"decoder"`
	Foreign     modelinput.Spec `json:"input"`

	Data      string          `json:"data"`
	Dataset   dataset.Options `json:"dataset"`
	Rows      int64           `json:"rows"` // of all shards
	ShardRows int             `json:"shard_rows"`
	Number    int             `json:"number"`

	Batch     int            `json:"batch"`
	Store     latent.Options `json:"store"`
	Quant     *latent.Quant  `json:"quant,omitempty"`
	WithError bool           `json:"with_error"`
	Out       string         `json:"out"` // the folder
}

// begin is the place of the shard's first row, and end that behind its last.
func (s shardSpec) begin() int64 { return int64(s.Number) * int64(s.ShardRows) }
func (s shardSpec) end() int64   { return min(s.begin()+int64(s.ShardRows), s.Rows) }

// shardWith is what changes nothing of a shard.
type shardWith struct {
	Cores int `json:"cores"`
}

// shardTold is how far a shard is.
type shardTold struct {
	Rows int64 `json:"rows"`
}

// shardMade is a shard that is there.
type shardMade struct {
	Shard  latent.Shard `json:"shard"`
	Paths  bool         `json:"paths"`
	Splits bool         `json:"splits"`
}

// checkWorkers refuses what can't be done by workers.
func (o Options) checkWorkers() error {
	switch {
	case o.Pool == nil:
		return nil
	case o.ShardRows == 0:
		return fault.Usagef("--workers makes shards side by side: add --shard-rows, and --out names a folder")
	case o.Dataset.OnBadImage == "skip":
		return fault.Usagef("--workers with --on-bad-image skip: which rows a shard has would be known behind the one before only; leave one of the two out")
	}
	return nil
}

// byWorkers has the shards that are not there yet made by the workers of a pool, and
// meanwhile reads src for the fingerprint of all images.
func (r *run) byWorkers(ctx context.Context, src dataset.Source, before int64) (err error) {
	defer func() {
		r.info = src.Info()
		err = errors.Join(err, src.Close())
	}()
	if r.info.Rows < 0 {
		return fault.Usagef("%s: --workers needs the number of images, which this data set tells at its end only", r.options.Data)
	}
	if r.info.Rows == 0 {
		return fault.Usagef("%s: there is no image in it", r.options.Data)
	}
	defer watch(r.observe, "compress", r.info.Rows, before, &r.setup.done, &r.written)()
	spec := r.shard()
	first, count := len(r.shards.Manifest().Shards), int((r.info.Rows+int64(spec.ShardRows)-1)/int64(spec.ShardRows))
	line := &assembly{run: r, made: map[int]made{}, next: first}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.options.Pool.Slots() + 1)
	g.Go(func() error { return readThrough(ctx, src) })
	for n := first; n < count; n++ {
		if ctx.Err() != nil {
			break
		}
		one := spec
		one.Number = n
		g.Go(func() error { return line.make(ctx, one) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := r.shards.Sweep(); err != nil { // of what killed workers left
		return err
	}
	return r.shards.Finish(src.Info().Fingerprint)
}

// readThrough reads images to the end.
func readThrough(ctx context.Context, src dataset.Source) error {
	var b dataset.Batch
	for {
		err := src.Next(&b, 256)
		if errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.Join(err, ctx.Err())
		if err != nil {
			return err
		}
	}
}

// shard is what all shards have in common.
func (r *run) shard() shardSpec {
	o := r.options
	return shardSpec{
		Moncae: version.Number(), Provider: r.setup.enc.session.Provider(),
		Encoder: o.Encoder, EncoderHash: r.meta.Encoder, Decoder: o.Decoder, Foreign: o.Foreign,
		Data: o.Data, Dataset: r.info.Preprocess.Apply(r.data), Rows: r.info.Rows, ShardRows: o.ShardRows,
		Batch: r.setup.batch, Store: o.Store, Quant: r.meta.Quant, WithError: o.WithError, Out: r.shards.Dir(),
	}
}

// made is a shard that waits for those before it.
type made struct {
	shardMade
	samples []sample
}

// assembly puts shards in order.
type assembly struct {
	*run
	mu   sync.Mutex
	made map[int]made
	next int // that is added next
}

func (a *assembly) make(ctx context.Context, spec shardSpec) error {
	var told int64
	pool := a.options.Pool
	r, err := pool.Do(ctx, worker.Order{
		Kind: kindShard, Spec: spec, With: shardWith{pool.Cores(a.options.Workers)},
		Event: func(data json.RawMessage, _ []worker.Part) error {
			var e shardTold
			if err := json.Unmarshal(data, &e); err != nil {
				return fmt.Errorf("a worker's event: %w", err)
			}
			if n := min(e.Rows, spec.end()-spec.begin()); n > told {
				a.setup.done.Add(n - told)
				told = n
			}
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("shard %d: %w", spec.Number, err)
	}
	var m made
	err = errors.Join(json.Unmarshal(r.Data, &m.shardMade), json.Unmarshal(worker.Find(r.Parts, partSamples), &m.samples))
	if err != nil {
		return fmt.Errorf("shard %d: a worker's result: %w", spec.Number, err)
	}
	a.setup.done.Add(spec.end() - spec.begin() - told)
	a.written.Add(m.Shard.Bytes)
	return a.add(spec.Number, m)
}

// add takes in a shard, and those that waited for it.
func (a *assembly) add(number int, m made) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made[number] = m
	for {
		m, ok := a.made[a.next]
		if !ok {
			return nil
		}
		delete(a.made, a.next)
		if a.rows > 0 && (m.Paths != a.meta.Paths || m.Splits != a.meta.Splits) {
			return fault.Usagef("%s: some shards have paths or splits and others have none: write without --workers", a.options.Data)
		}
		a.meta.Paths, a.meta.Splits = m.Paths, m.Splits
		if err := a.shards.Add(a.meta, m.Shard); err != nil {
			return err
		}
		for _, s := range m.samples {
			a.sum.add(s)
		}
		a.run.rows += int64(m.Shard.Rows)
		a.next++
	}
}

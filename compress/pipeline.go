package compress

import (
	"context"
	"errors"
	"io"
	"sync"

	"moncae/internal/dataset"
	"moncae/internal/latent"
)

// slab is a run of rows on its way: its batches are encoded by several workers,
// each into its own part.
type slab struct {
	rows    latent.Rows
	results []result // one a batch, in order
	wait    sync.WaitGroup
	end     error // why nothing follows: io.EOF, or what broke; nil: more follows
}

// slabPart is one batch: images, and the part of a slab that is the batch's own.
type slabPart struct {
	images  dataset.Batch
	first   int64 // the place of its first row in the whole
	latents []float32
	errors  []float32 // nil without the column
	result  *result
	done    func()
}

func (t *slabPart) rows() int { return len(t.images.Records) }

// result is what a batch leaves beside its rows.
type result struct {
	first  int64 // the place of its first row in the whole
	sample sample
	err    error
}

// pipeline reads images, encodes batches on several workers, and gives slabs in
// order. At most four slabs and two batches a worker exist.
type pipeline struct {
	setup  *setup
	cancel context.CancelFunc
	slabs  chan *slab // filled, in order; closed behind the last
	free   chan *slab
	work   chan *slabPart
	idle   chan *slabPart
	wait   sync.WaitGroup
}

// startPipeline begins to read src. The first skip rows, whole batches, are read
// but not encoded.
func startPipeline(ctx context.Context, j *setup, src dataset.Source, skip int64) *pipeline {
	ctx, cancel := context.WithCancel(ctx)
	p := &pipeline{
		setup: j, cancel: cancel,
		slabs: make(chan *slab, 4), free: make(chan *slab, 4),
		work: make(chan *slabPart, 2*j.workers), idle: make(chan *slabPart, 2*j.workers),
	}
	for range cap(p.free) {
		p.free <- &slab{}
	}
	for range cap(p.idle) {
		p.idle <- &slabPart{}
	}
	p.wait.Go(func() { p.read(ctx, src, skip) })
	for range j.workers {
		p.wait.Go(func() {
			var w buffers
			for t := range p.work {
				if err := ctx.Err(); err != nil {
					t.result.err = err
				} else {
					*t.result = j.encode(&w, t)
				}
				t.done()
				p.idle <- t
			}
		})
	}
	return p
}

// read cuts the images into batches and slabs until the source ends, breaks, or
// ctx ends.
func (p *pipeline) read(ctx context.Context, src dataset.Source, skip int64) {
	defer close(p.slabs)
	defer close(p.work)
	row := int64(0)
	for end := error(nil); end == nil; {
		var s *slab
		select {
		case s = <-p.free:
		case <-ctx.Done():
			return
		}
		s.reset(p.setup)
		// Slabs end at fixed places of the whole, wherever reading began: files that go
		// on behind others have the same record batches.
		for s.end == nil && (s.rows.Len() == 0 || (p.setup.begin+row)%int64(p.setup.slabRows) != 0) {
			if s.end = ctx.Err(); s.end != nil {
				break
			}
			t := <-p.idle
			if s.end = src.Next(&t.images, p.setup.batch); s.end != nil {
				p.idle <- t
				break
			}
			t.first = p.setup.begin + row
			if row += int64(t.rows()); row <= skip {
				p.idle <- t
				continue
			}
			s.add(t, p.setup)
			p.work <- t
		}
		end = s.end
		p.slabs <- s
	}
}

// next is the next slab, complete; give it back with release. io.EOF after the
// last.
func (p *pipeline) next(ctx context.Context) (*slab, error) {
	s, ok := <-p.slabs
	if !ok {
		return nil, errors.Join(ctx.Err(), io.EOF)
	}
	s.wait.Wait()
	for _, r := range s.results {
		if r.err != nil {
			return nil, r.err
		}
	}
	if s.end != nil && !errors.Is(s.end, io.EOF) {
		return nil, s.end
	}
	return s, nil
}

func (p *pipeline) release(s *slab) { p.free <- s }

// close stops the goroutines and waits for them. The source may be closed then.
func (p *pipeline) close() {
	p.cancel()
	p.wait.Wait()
}

// reset empties the slab; its memory for the latents is taken once, and touched
// as far as rows come.
func (s *slab) reset(j *setup) {
	r := &s.rows
	if r.Latents == nil {
		r.Latents = make([]float32, 0, j.slabRows*j.enc.latent.Values())
		s.results = make([]result, 0, j.slabRows/j.batch)
	}
	*r = latent.Rows{
		IDs: r.IDs[:0], Latents: r.Latents[:0], Labels: r.Labels[:0],
		Paths: r.Paths[:0], Splits: r.Splits[:0], Errors: r.Errors[:0],
	}
	if j.withError && r.Errors == nil {
		r.Errors = make([]float32, 0, j.slabRows)
	}
	s.results, s.end = s.results[:0], nil
}

// add makes room for a batch's rows.
func (s *slab) add(t *slabPart, j *setup) {
	r, from := &s.rows, s.rows.Len()
	for _, rec := range t.images.Records {
		r.IDs = append(r.IDs, rec.ID)
		r.Labels = append(r.Labels, int64(rec.Label))
		r.Paths = append(r.Paths, rec.Path)
		r.Splits = append(r.Splits, rec.Split)
	}
	values := j.enc.latent.Values()
	r.Latents = r.Latents[:r.Len()*values]
	t.latents, t.errors = r.Latents[from*values:], nil
	if j.withError {
		r.Errors = r.Errors[:r.Len()]
		t.errors = r.Errors[from:]
	}
	s.results = append(s.results, result{})
	t.result, t.done = &s.results[len(s.results)-1], s.wait.Done
	s.wait.Add(1)
}

package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
)

// Record says what an image is and where it comes from.
type Record struct {
	ID    int64  // within the split
	Label int32  // −1: none
	Path  string // of its file, with slashes, within the data set; "" where it has none
	Split string // "" where the source has no splits and is read whole
	Bytes int64  // that it takes in its source
}

// worker is what a decoding goroutine keeps.
type worker struct {
	pixel.Decoder
	file []byte
}

// chunk is a run of consecutive images on their way through the pipeline.
type chunk struct {
	items   []source.Item
	records []Record
	errs    []error // of items, nil where all went well
	pixels  []uint8 // len(items)·image bytes
	frames  []int   // of the items' files, where they were counted
	headers []pixel.Header
	seen    pixel.Seen // of the items that were decoded
	plain   int        // images of one value throughout
	end     error      // why nothing follows: io.EOF, or what broke
	ready   chan struct{}
}

// pipeline reads the items of parts in order on one goroutine, works on them on
// several, and hands chunks out in order. At most its fixed number of chunks
// exists, so memory is bounded.
type pipeline struct {
	cancel context.CancelFunc
	wait   sync.WaitGroup
	order  chan *chunk
	work   chan *chunk
	free   chan *chunk
}

// newPipeline starts reading parts in chunks of size items; do works on item i
// of a chunk.
func newPipeline(ctx context.Context, parts []part, workers, size int, do func(w *worker, c *chunk, i int)) *pipeline {
	ctx, cancel := context.WithCancel(ctx)
	chunks := 2*workers + 2 // and one more in order, where ctx ends
	p := &pipeline{cancel: cancel, order: make(chan *chunk, chunks+1), work: make(chan *chunk, chunks), free: make(chan *chunk, chunks)}
	for range chunks {
		p.free <- &chunk{items: make([]source.Item, size), ready: make(chan struct{}, 1)}
	}
	p.wait.Go(func() { p.read(ctx, parts) })
	for range workers {
		p.wait.Go(func() {
			w := &worker{}
			for c := range p.work {
				w.Seen.Forget()
				c.plain = 0
				for i := range c.items {
					if c.errs[i] == nil {
						if c.errs[i] = ctx.Err(); c.errs[i] == nil {
							do(w, c, i)
						}
					}
				}
				c.seen = w.Seen
				c.ready <- struct{}{}
			}
		})
	}
	return p
}

// next is the next chunk in order; give it back with release.
func (p *pipeline) next() *chunk {
	c := <-p.order
	<-c.ready
	return c
}

func (p *pipeline) release(c *chunk) { p.free <- c }

// close stops the goroutines and waits for them.
func (p *pipeline) close() {
	p.cancel()
	p.wait.Wait()
}

// read fills chunks until all parts are read, something breaks, or ctx ends. The
// last chunk says why it is the last.
func (p *pipeline) read(ctx context.Context, parts []part) {
	defer close(p.work)
	r := &reader{parts: parts}
	defer r.close()
	for {
		var c *chunk
		select {
		case c = <-p.free:
		case <-ctx.Done():
			c = &chunk{ready: make(chan struct{}, 1), end: ctx.Err()}
			p.order <- c
			c.ready <- struct{}{}
			return
		}
		r.fill(c)
		last := c.end != nil // c belongs to others once it is sent
		p.order <- c
		p.work <- c
		if last {
			return
		}
	}
}

// isBad tells whether err concerns one item only.
func isBad(err error) bool {
	var bad *source.Bad
	return errors.As(err, &bad)
}

// reader goes through the picked rows of several parts.
type reader struct {
	parts  []part
	stream source.Stream
	at     int64 // position in the current split
	picked int   // rows of pick that are done
	count  int64 // rows that were handed out of the current part
}

func (r *reader) fill(c *chunk) {
	full := cap(c.items)
	c.items, c.records, c.errs = c.items[:full], c.records[:0], c.errs[:0]
	n := 0
	for n < full {
		it := &c.items[n]
		rec, err := r.next(it)
		if err != nil && !isBad(err) {
			c.end = err
			break
		}
		c.records = append(c.records, rec)
		c.errs = append(c.errs, err)
		n++
	}
	c.items = c.items[:n]
}

// next reads the next picked item.
func (r *reader) next(it *source.Item) (Record, error) {
	for len(r.parts) > 0 {
		p := &r.parts[0]
		if p.pick != nil && r.picked == len(p.pick) {
			if p.keep == nil {
				if err := r.finish(it); err != nil {
					return Record{}, err
				}
			}
			r.advance()
			continue
		}
		if r.stream == nil {
			s, err := p.Open()
			if err != nil {
				return Record{}, err
			}
			r.stream = s
		}
		err := r.stream.Next(it)
		if err == io.EOF { //nolint:errorlint // io.EOF itself is the end; wrapped, it is a fault
			if p.pick != nil || p.Rows >= 0 && r.at != p.Rows {
				return Record{}, fmt.Errorf("the split %s ended at image %d of %d: it changed while it was read", p.Name, r.at, p.Rows)
			}
			r.advance()
			continue
		}
		at := r.at
		r.at++
		if p.pick != nil && p.pick[r.picked] != at {
			if err != nil && !isBad(err) {
				return Record{}, err
			}
			continue
		}
		return r.record(p, it), err
	}
	return Record{}, io.EOF
}

// finish reads what is left of a split of which some rows are set apart: it is at their
// end that formats find what they lack, and checksums that don't agree.
func (r *reader) finish(it *source.Item) error {
	for r.stream != nil {
		err := r.stream.Next(it)
		if err == io.EOF { //nolint:errorlint // the end itself
			return nil
		}
		if err != nil && !isBad(err) {
			return err
		}
	}
	return nil
}

func (r *reader) record(p *part, it *source.Item) Record {
	id := r.count
	if p.keep != nil {
		id = p.keep[r.picked]
	}
	r.count++
	r.picked++
	return Record{ID: id, Label: it.Label, Path: it.Path, Split: p.name, Bytes: it.Bytes}
}

// advance goes on to the next part.
func (r *reader) advance() {
	r.close()
	r.parts, r.at, r.picked, r.count = r.parts[1:], 0, 0, 0
}

func (r *reader) close() {
	if r.stream != nil {
		_ = r.stream.Close() // nothing was written
		r.stream = nil
	}
}

// load is the encoded image of an item, at most limit bytes of it.
func (w *worker) load(it *source.Item, limit int64) ([]byte, error) {
	if it.File == nil {
		return it.Data[:min(int64(len(it.Data)), limit)], nil
	}
	f, err := it.File.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	w.file = w.file[:0]
	if size := it.File.Size; size >= 0 && size < files.MaxMember {
		w.file = slices.Grow(w.file, int(min(size, limit))+1)
	} else {
		w.file = slices.Grow(w.file, 1<<16)
	}
	for int64(len(w.file)) < limit {
		n, err := f.Read(w.file[len(w.file):min(int64(cap(w.file)), limit)])
		w.file = w.file[:len(w.file)+n]
		if errors.Is(err, io.EOF) {
			return w.file, nil
		}
		if err != nil {
			return nil, err
		}
		w.file = slices.Grow(w.file, 1)
	}
	return w.file, nil
}

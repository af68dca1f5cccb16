//go:build nvidia && linux && amd64

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/driver"
	"moncae/internal/engine/cuda/plan"
)

// adagradStart is what Adagrad's accumulators start with, as bits.
var adagradStart = uint(math.Float32bits(engine.AdagradStart))

// bits is an argument as 8 bytes whose first are the parameter.
func (r *resident) bits(arg any) uint64 {
	return plan.Bits(arg, func(ref plan.Ref) uint64 { return uint64(r.address(ref)) })
}

// repeat brings rows to the device by way of s, and launches a graph once for
// each batch. The stage is free again when the stream has come so far.
func (r *resident) repeat(g *driver.Graph, s *stage, rows []int32, times int) error {
	if err := upload(r, plan.Rows, s.rows[:copy(s.rows, rows)]); err != nil {
		return err
	}
	if err := r.rewind(); err != nil {
		return err
	}
	for range times {
		if err := g.Launch(r.stream); err != nil {
			return fmt.Errorf("launching a graph: %w", err)
		}
	}
	return nil
}

// rewind has the next run of a graph be the first of its call: it says where
// rows are read, and where losses, measures and outputs go.
func (r *resident) rewind() error {
	return cu.MemsetD8Async(r.region(plan.Counter), 0, 4, r.stream)
}

// train keeps the device busy: a chunk of steps is queued before the losses of
// the one before it are waited for.
func (r *resident) train(rows []int32, rates, losses []float32) error {
	err := r.pipeline(rows, rates, losses)
	if err != nil {
		_ = r.stream.Synchronize() // the stages may be in use; the first error counts
	}
	return err
}

func (r *resident) pipeline(rows []int32, rates, losses []float32) error {
	batch := r.program.plan.Net.Batch
	for at := 0; at < len(rates)+chunk; at += chunk {
		if at < len(rates) {
			n := min(chunk, len(rates)-at)
			if err := r.queue(&r.stages[at/chunk%2], rows[at*batch:(at+n)*batch], rates[at:at+n]); err != nil {
				return err
			}
		}
		if before := at - chunk; before >= 0 && before < len(rates) {
			s := &r.stages[before/chunk%2]
			if err := s.arrived.Synchronize(); err != nil {
				return err
			}
			copy(losses[before:min(at, len(rates))], s.losses)
		}
	}
	return nil
}

// queue puts steps on the stream, and the way back of their losses.
func (r *resident) queue(s *stage, rows []int32, rates []float32) error {
	n := copy(s.rates, rates)
	if err := upload(r, plan.Rates, s.rates[:n]); err != nil {
		return err
	}
	if err := r.repeat(r.training, s, rows, n); err != nil {
		return err
	}
	if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&s.losses[0]), r.region(plan.Losses), int64(n)*4, r.stream); err != nil {
		return err
	}
	return s.arrived.Record(r.stream)
}

// batches calls f for at most `most` batches of rows at a time, the last one
// filled with its last row; count is how many of the rows are real.
func (r *resident) batches(rows []int32, most int, f func(padded []int32, times, at, count int) error) error {
	batch := r.program.plan.Net.Batch
	for at := 0; at < len(rows); at += most * batch {
		count := min(most*batch, len(rows)-at)
		times := (count + batch - 1) / batch
		padded := r.scratch[:times*batch]
		copy(padded, rows[at:at+count])
		for i := count; i < len(padded); i++ {
			padded[i] = rows[at+count-1]
		}
		if err := f(padded, times, at, count); err != nil {
			return err
		}
	}
	return nil
}

// evaluate sums the measures of every row, in their order.
func (r *resident) evaluate(rows []int32) (sums engine.Sums, err error) {
	err = r.batches(rows, chunk, func(padded []int32, times, _, count int) error {
		if err := r.repeat(r.measure, &r.stages[0], padded, times); err != nil {
			return err
		}
		measured := r.measured[:count*plan.MeasuresARow]
		if err := download(r, plan.Measures, 0, measured); err != nil {
			return err
		}
		for i, v := range measured {
			sums[i%plan.MeasuresARow] += v
		}
		return nil
	})
	return sums, err
}

func (r *resident) infer(rows []int32, latent, output []float32) error {
	net := r.program.plan.Net
	return r.batches(rows, r.program.regions.infers, func(padded []int32, times, at, count int) error {
		if err := r.repeat(r.inferral, &r.stages[0], padded, times); err != nil {
			return err
		}
		if values := net.Latent.Values(); latent != nil && values > 0 {
			if err := download(r, plan.Latents, 0, latent[at*values:(at+count)*values]); err != nil {
				return err
			}
		}
		if values := net.Output.Values(); output != nil {
			return download(r, plan.Outputs, 0, output[at*values:(at+count)*values])
		}
		return r.stream.Synchronize()
	})
}

//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"math"
	"time"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/plan"
)

// Compare times how the device can compute a convolution's three products.
func (e *single) Compare(s engine.Shape, p engine.Precision) (all []engine.Comparison, err error) {
	g := plan.Geometry{N: s.Input[0], H: s.Input[1], W: s.Input[2], C: s.Input[3], YH: s.Output[0], YW: s.Output[1], O: s.Output[2], Kernel: s.Kernel, Stride: s.Stride}
	d := e.device
	d.calls.RLock()
	defer d.calls.RUnlock()
	for _, kind := range []plan.Kind{plan.Forward, plan.InputGrad, plan.WeightGrad} {
		problem := plan.Problem{Kind: kind, Geometry: g, Half: p == engine.BFloat16, Exact: p == engine.Float32}
		var c engine.Comparison
		if err := d.do(func() error { c, err = d.compare(problem); return err }); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// Compare times on the first device.
func (e *engines) Compare(s engine.Shape, p engine.Precision) ([]engine.Comparison, error) {
	return e.list[0].Compare(s, p)
}

func (d *device) compare(p plan.Problem) (c engine.Comparison, err error) {
	c.Plan = planOf(p, choice{})
	if c.Own, err = d.timed(plan.Alone(p, false, 0), nil); err != nil || d.library == nil {
		return c, err
	}
	h, err := d.takeHandle()
	if err != nil {
		return c, err
	}
	defer d.putHandle(h)
	chosen, err := h.Plan(p)
	switch {
	case err == nil:
		c.Plan = planOf(p, choice{chosen.Choice, true})
		c.Library, err = d.timed(plan.Alone(p, true, chosen.Workspace), h)
	case errors.Is(err, cudnn.ErrNone) || cudnn.Refused(err) && !cudnn.Environment(err):
		err = nil
	}
	return c, err
}

// Rounds of a comparison, and launches of a round; the fastest round counts.
const rounds, launches = 3, 20

// timed runs the step of a plan alone, on memory of its own, and gives microseconds.
func (d *device) timed(p *plan.Plan, h *cudnn.Handle) (best float64, err error) {
	r := &resident{program: &program{device: d, plan: p}, handle: h}
	at, err := cu.MemAlloc(max(p.Bytes, 1))
	if err != nil {
		return 0, err
	}
	r.block.at = at
	defer func() { err = errors.Join(err, d.wait(), cu.MemFree(at)) }()
	if r.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.stream.Destroy()) }()
	if h != nil {
		if err := h.SetStream(unsafe.Pointer(r.stream.C())); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, h.SetStream(nil)) }()
	}
	if err := cu.MemsetD8Async(at, 0, p.Bytes, r.stream); err != nil {
		return 0, err
	}
	best = math.Inf(1)
	for round := range rounds + 1 { // the first loads code
		began := time.Now()
		for range launches {
			if err := r.enqueue(p.Train); err != nil {
				return 0, err
			}
		}
		if err := r.stream.Synchronize(); err != nil {
			return 0, err
		}
		if round > 0 {
			best = min(best, time.Since(began).Seconds()/launches*1e6)
		}
	}
	return best, nil
}

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
		if err := d.do(func() error { c, err = d.compare(problem, most); return err }); err != nil {
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

// compare times the own kernel, cuDNN's plan, and so many plans behind it.
func (d *device) compare(p plan.Problem, beside int) (c engine.Comparison, err error) {
	c.Plan = planOf(p, choice{})
	if c.Own, err = d.timeOwn(p); err != nil || d.library == nil {
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
		if c.Library, err = d.timeLibrary(p, h, chosen); err == nil {
			c.Others, err = d.others(p, h, chosen.Rank, beside)
		}
	case noPlan(err):
		err = nil
	}
	return c, err
}

// noPlan tells whether err says that cuDNN has no way, or no other, to compute a shape.
func noPlan(err error) bool {
	return errors.Is(err, cudnn.ErrNone) || cudnn.Refused(err) && !cudnn.Environment(err)
}

// most is how many plans a comparison times beside the chosen one.
const most = 3

// others times so many of the plans that come behind a rank.
func (d *device) others(p plan.Problem, h *cudnn.Handle, rank, count int) (all []engine.Other, err error) {
	for len(all) < count {
		made, err := h.After(p, rank)
		if noPlan(err) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		other := engine.Other{Engine: made.Engine, Rank: made.Rank, TensorCores: made.TensorCores}
		other.Time, err = d.timeLibrary(p, h, made)
		if cudnn.Unusable(err) { // a training would begin anew without cuDNN
			err = nil
		}
		if err = errors.Join(err, made.Close()); err != nil {
			return all, err
		}
		all, rank = append(all, other), made.Rank
	}
	return all, nil
}

func (d *device) timeOwn(p plan.Problem) (float64, error) {
	alone := plan.Alone(p, false, 0)
	return d.timed(alone.Bytes, nil, func(r *resident) error {
		r.program.plan = alone
		return r.enqueue(alone.Train)
	})
}

func (d *device) timeLibrary(p plan.Problem, h *cudnn.Handle, made *cudnn.Plan) (float64, error) {
	alone := plan.Alone(p, true, made.Workspace)
	conv := alone.Train[0].(plan.Conv)
	return d.timed(alone.Bytes, h, func(r *resident) error {
		r.program.plan = alone
		return r.by(made, conv)
	})
}

// Rounds of a timing, and launches of a round; the fastest round counts.
const rounds, launches = 3, 20

// timed does work on a stream and memory of its own, and gives microseconds, to a hundredth.
func (d *device) timed(bytes int64, h *cudnn.Handle, work func(*resident) error) (best float64, err error) {
	r := &resident{program: &program{device: d}, handle: h}
	at, err := cu.MemAlloc(max(bytes, 1))
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
	if err := cu.MemsetD8Async(at, 0, bytes, r.stream); err != nil {
		return 0, err
	}
	best = math.Inf(1)
	for round := range rounds + 1 { // the first loads code
		began := time.Now()
		for range launches {
			if err := work(r); err != nil {
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
	return max(math.Round(100*best)/100, 0.01), nil
}

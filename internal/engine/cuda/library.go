//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/plan"
)

// ownReason is how the log says that cuDNN isn't used.
const ownReason = "convolutions run on moncae's own kernels, which are slower"

// try has cuDNN compute on every device: one that opens may not start, for
// example where the driver is older than it wants.
func (e *engines) try() error {
	for _, one := range e.list {
		if err := one.device.tryLibrary(); err != nil {
			return err
		}
	}
	return nil
}

// leave does without cuDNN on all devices, for results must not depend on the
// device, and says so once.
func (e *engines) leave(why string, reason error) {
	slog.Warn(ownReason, "reason", reason)
	for _, one := range e.list {
		one.device.library, one.device.without = nil, why
		one.device.reasons = []string{reason.Error()}
	}
}

// ownConvolutions says that a network does without cuDNN, each reason once.
func (d *device) ownConvolutions(reason error) {
	text := "a network runs on moncae's own convolutions"
	if cudnn.Environment(reason) {
		text = ownReason
	}
	d.choosing.Lock()
	defer d.choosing.Unlock()
	if slices.Contains(d.reasons, reason.Error()) {
		return
	}
	d.reasons = append(d.reasons, reason.Error())
	slog.Warn(text, "reason", reason)
}

// Convolutions tells how the device computes them.
func (e *single) Convolutions() engine.Convolutions { return e.device.convolutions() }

// Convolutions are those of all devices, which are of one model and choose alike.
func (e *engines) Convolutions() (all engine.Convolutions) {
	for _, one := range e.list {
		all.Add(one.Convolutions())
	}
	return all
}

func (d *device) convolutions() engine.Convolutions {
	var c engine.Convolutions
	if d.library != nil {
		c.Library = "cuDNN " + d.library.Version()
	}
	d.choosing.Lock()
	defer d.choosing.Unlock()
	c.Own = slices.Clone(d.reasons)
	for p, made := range d.choices {
		c.Plans = append(c.Plans, planOf(p, made))
	}
	slices.SortFunc(c.Plans, engine.Plan.Compare)
	return c
}

func planOf(p plan.Problem, made choice) engine.Plan {
	return engine.Plan{
		Kind: p.Kind.String(), Input: [4]int{p.N, p.H, p.W, p.C}, Output: [3]int{p.YH, p.YW, p.O}, Kernel: p.Kernel, Stride: p.Stride,
		Precision: engine.Precision(p.Precision()),
		Engine:    made.Engine, Rank: made.Rank, Fallback: made.Fallback, TensorCores: made.TensorCores, Workspace: made.Workspace,
	}
}

// tryLibrary runs the three kinds of one small convolution by cuDNN.
func (d *device) tryLibrary() error {
	return d.do(func() error {
		h, err := d.takeHandle()
		if err != nil {
			return err
		}
		defer d.putHandle(h)
		for _, kind := range []plan.Kind{plan.Forward, plan.InputGrad, plan.WeightGrad} {
			g := plan.Geometry{N: 2, H: 8, W: 8, C: 16, YH: 8, YW: 8, O: 16, Kernel: 3, Stride: 1}
			if err := d.tryConvolution(h, plan.Problem{Kind: kind, Geometry: g, Exact: true}); err != nil {
				return fmt.Errorf("trying cuDNN: %w", err)
			}
		}
		return d.wait()
	})
}

func (d *device) tryConvolution(h *cudnn.Handle, p plan.Problem) error {
	chosen, err := h.Plan(p)
	if err != nil {
		return err
	}
	image, weight := int64(p.N*p.H*p.W*p.C)*4, int64(p.O*p.Kernel*p.Kernel*p.C)*4
	at, err := cu.MemAlloc(2*image + weight + max(chosen.Workspace, 1))
	if err != nil {
		return err
	}
	zeros := make([]byte, 2*image+weight)
	err = cu.MemcpyHtoD(at, unsafe.Pointer(&zeros[0]), int64(len(zeros)))
	if err == nil {
		err = h.Run(chosen, uintptr(at), uintptr(at)+uintptr(2*image), uintptr(at)+uintptr(image), uintptr(at)+uintptr(2*image+weight))
	}
	return errors.Join(err, d.wait(), cu.MemFree(at))
}

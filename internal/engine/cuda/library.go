//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"log/slog"
	"unsafe"

	"gorgonia.org/cu"

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
	}
}

// ownConvolutions says that a network does without cuDNN; where that is because
// of the environment, once for all networks.
func (d *device) ownConvolutions(reason error) {
	if cudnn.Environment(reason) {
		d.warned.Do(func() { slog.Warn(ownReason, "reason", reason) })
		return
	}
	slog.Warn("a network runs on moncae's own convolutions", "reason", reason)
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
			c := plan.Conv{Kind: kind, Geometry: plan.Geometry{N: 2, H: 8, W: 8, C: 16, YH: 8, YW: 8, O: 16, Kernel: 3, Stride: 1}, Exact: true}
			if err := d.tryConvolution(h, c); err != nil {
				return fmt.Errorf("trying cuDNN: %w", err)
			}
		}
		return d.wait()
	})
}

func (d *device) tryConvolution(h *cudnn.Handle, c plan.Conv) error {
	made, err := d.ask(c)
	if err != nil || !made.ok {
		return err
	}
	c.Algorithm, c.Bytes = made.algorithm, made.workspace
	conv, err := cudnn.NewConv(c)
	if err != nil {
		return err
	}
	defer conv.Close()
	image, weight := int64(c.N*c.H*c.W*c.C)*4, int64(c.O*c.Kernel*c.Kernel*c.C)*4
	at, err := cu.MemAlloc(2*image + weight + max(c.Bytes, 1))
	if err != nil {
		return err
	}
	zeros := make([]byte, 2*image+weight)
	err = cu.MemcpyHtoD(at, unsafe.Pointer(&zeros[0]), int64(len(zeros)))
	if err == nil {
		err = conv.Run(h, uintptr(at), uintptr(at)+uintptr(2*image), uintptr(at)+uintptr(image), uintptr(at)+uintptr(2*image+weight))
	}
	return errors.Join(err, d.wait(), cu.MemFree(at))
}

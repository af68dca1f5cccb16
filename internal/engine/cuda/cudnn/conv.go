//go:build nvidia && linux && amd64

package cudnn

// #include "api.h"
import "C"

import (
	"fmt"

	"moncae/internal/engine/cuda/plan"
)

// maxWorkspace is the most scratch memory, in bytes, that an algorithm may want.
const maxWorkspace = 256 << 20

// Conv is a convolution's description, ready to run.
type Conv struct {
	conv C.moncae_conv
	plan plan.Conv
}

// NewConv describes c. Close it.
func NewConv(c plan.Conv) (*Conv, error) {
	g := [9]C.int{C.int(c.N), C.int(c.H), C.int(c.W), C.int(c.C), C.int(c.YH), C.int(c.YW), C.int(c.O), C.int(c.Kernel), C.int(c.Stride)}
	kind, math := C.int(C.CUDNN_DATA_FLOAT), C.int(C.CUDNN_DEFAULT_MATH)
	switch {
	case c.Half:
		kind, math = C.CUDNN_DATA_BFLOAT16, C.CUDNN_TENSOR_OP_MATH
	case c.Exact:
		math = C.CUDNN_FMA_MATH
	}
	conv := &Conv{plan: c}
	if err := result(C.moncae_conv_make(&conv.conv, &g[0], kind, math)); err != nil {
		conv.Close()
		return nil, fmt.Errorf("%+v: %w", c.Geometry, err)
	}
	return conv, nil
}

// Close frees the description.
func (c *Conv) Close() { C.moncae_conv_free(&c.conv) }

// Choose picks the first of cuDNN's proposals that is deterministic and modest
// in memory; ok is false if there is none.
func (c *Conv) Choose(h *Handle) (algorithm int, workspace int64, ok bool, err error) {
	const wanted = 8
	var proposals [wanted]C.performance_t
	var count C.int
	kind := C.int(c.plan.Kind)
	if err := result(C.moncae_conv_heuristics(h.h, &c.conv, kind, wanted, &count, &proposals[0])); err != nil {
		return 0, 0, false, err
	}
	for _, p := range proposals[:count] {
		if p.status != 0 || p.determinism != C.CUDNN_DETERMINISTIC || p.memory > maxWorkspace {
			continue
		}
		var bytes C.size_t
		if err := result(C.moncae_conv_workspace(h.h, &c.conv, kind, p.algorithm, &bytes)); err != nil || bytes > maxWorkspace {
			continue
		}
		return int(p.algorithm), int64(bytes), true, nil
	}
	return 0, 0, false, nil
}

// Run puts the convolution on the handle's stream. The pointers are device
// addresses of the tensors as plan.Conv names them.
func (c *Conv) Run(h *Handle, input, weight, output, workspace uintptr) error {
	err := result(C.moncae_conv_run(h.h, &c.conv, C.int(c.plan.Kind), C.int(c.plan.Algorithm),
		C.size_t(input), C.size_t(weight), C.size_t(output), C.size_t(workspace), C.size_t(c.plan.Bytes)))
	if err != nil {
		return fmt.Errorf("convolution %+v: %w", c.plan.Geometry, err)
	}
	return nil
}

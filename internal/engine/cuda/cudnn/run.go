//go:build nvidia && linux && amd64

package cudnn

// #include "api.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"moncae/internal/engine/cuda/plan"
)

// kept is how many plans a handle keeps for programs to come.
const kept = 256

// Handle is cuDNN's state for one stream; it belongs to the context that is
// current when it is made, and to one goroutine at a time. The plans that were
// made with it stay with it, since cuDNN's are for one thread at a time.
type Handle struct {
	h     C.handle_t
	plans map[plan.Problem]*Plan
	used  []plan.Problem // the last one at the end
}

// NewHandle makes a handle. The Library must be open.
func (l *Library) NewHandle() (*Handle, error) {
	h := &Handle{plans: map[plan.Problem]*Plan{}}
	if err := result(C.moncae_cudnn_create(&h.h)); err != nil {
		return nil, fmt.Errorf("cudnnCreate: %w", err)
	}
	return h, nil
}

// SetStream has everything that follows run on a CUstream.
func (h *Handle) SetStream(stream unsafe.Pointer) error {
	if err := result(C.moncae_cudnn_stream(h.h, stream)); err != nil {
		return fmt.Errorf("cudnnSetStream: %w", err)
	}
	return nil
}

// Plan is the plan for a convolution: that of before, or one that is chosen now.
func (h *Handle) Plan(c plan.Problem) (*Plan, error) {
	if i := slices.Index(h.used, c); i >= 0 {
		h.used = append(slices.Delete(h.used, i, i+1), c)
		return h.plans[c], nil
	}
	made, err := target{handle: h.h}.choose(c, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	h.plans[c], h.used = made, append(h.used, c)
	return made, nil
}

// After is the next plan that Plan would choose if it couldn't be one of up to that rank.
// It belongs to the caller; ErrNone where there is none.
func (h *Handle) After(c plan.Problem, rank int) (*Plan, error) {
	return target{handle: h.h}.choose(c, rank)
}

// Close frees a plan that After made.
func (p *Plan) Close() error { return p.close() }

// Trim destroys the plans beyond those that are kept, the ones first that weren't
// used for longest. Nothing that ran by them may be under way.
func (h *Handle) Trim() error {
	var errs []error
	for len(h.used) > kept {
		errs = append(errs, h.plans[h.used[0]].close())
		delete(h.plans, h.used[0])
		h.used = h.used[1:]
	}
	return errors.Join(errs...)
}

// Run puts a convolution on the handle's stream. The pointers are device
// addresses of the tensors as plan.Conv names them.
func (h *Handle) Run(made *Plan, input, weights, out, workspace uintptr) error {
	p := &parts{}
	pack := p.create(C.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
	set(p, pack, C.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, C.CUDNN_TYPE_INT64, image, weight, output)
	set(p, pack, C.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, C.CUDNN_TYPE_VOID_PTR, input, weights, out)
	set(p, pack, C.CUDNN_ATTR_VARIANT_PACK_WORKSPACE, C.CUDNN_TYPE_VOID_PTR, workspace)
	p.finalize(pack, "tensors' places")
	if p.err == nil {
		p.check(C.moncae_cudnn_execute(h.h, made.plan, pack), "cudnnBackendExecute")
	}
	return errors.Join(p.err, p.close())
}

// Close frees the handle and its plans.
func (h *Handle) Close() error {
	var errs []error
	for _, p := range h.plans {
		errs = append(errs, p.close())
	}
	if err := result(C.moncae_cudnn_destroy(h.h)); err != nil {
		errs = append(errs, fmt.Errorf("cudnnDestroy: %w", err))
	}
	return errors.Join(errs...)
}

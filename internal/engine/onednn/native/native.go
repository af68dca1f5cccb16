//go:build onednn && cgo

// Package native binds the C++ side of the oneDNN engine: nets (parameters and
// optimiser state), plans (steps over a block of memory) and blocks.
//
// Every call runs on the calling thread alone, whatever the OpenMP settings, and
// any goroutine may make it; a net and its plans are for one goroutine at a time.
// Errors are the library's texts; ErrMemory where memory was refused.
package native

/*
#cgo CXXFLAGS: -O3 -std=c++17 -Wall -I${SRCDIR}/../../../../.deps/onednn/include
#cgo LDFLAGS: -L${SRCDIR}/../../../../.deps/onednn/lib -ldnnl -lgomp -lstdc++ -lm
#cgo LDFLAGS: -Wl,-rpath,$ORIGIN/../.deps/onednn/lib -Wl,-rpath,$ORIGIN/lib -Wl,-rpath,$ORIGIN
#cgo LDFLAGS: -Wl,-rpath,${SRCDIR}/../../../../.deps/onednn/lib
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"moncae/internal/engine/onednn/plan"
)

// ErrMemory is what a refused allocation gives.
var ErrMemory = errors.New("out of memory")

// Version is oneDNN's.
func Version() string { return C.GoString(C.mn_version()) }

// ISA is the instruction set that the project's own kernels run with.
func ISA() string { return C.GoString(C.mn_isa()) }

// UseISA makes plans from now on take the kernels of another instruction set,
// avx512, avx2 or generic: for tests. It is false where the processor lacks it.
func UseISA(isa string) bool {
	text := C.CString(isa)
	defer C.free(unsafe.Pointer(text))
	return C.mn_use_isa(text) != 0
}

// BF16 tells whether the processor has instructions for bfloat16 and oneDNN may
// use them.
func BF16() bool { return C.mn_bf16() != 0 }

// GemmPeak measures a large matrix product of oneDNN on one thread, in float32 or
// bfloat16, in gigaflops.
func GemmPeak(bf16 bool) float64 { return float64(C.mn_gemm_peak(flag(bf16))) }

func failure(text *C.char) error {
	switch {
	case text == nil:
		return nil
	case text == &C.mn_no_memory[0]:
		return ErrMemory
	}
	defer C.mn_free_text(text)
	return errors.New(C.GoString(text))
}

// Block is memory outside Go's heap, zeroed when new.
type Block struct {
	at   unsafe.Pointer
	Size int
}

// NewBlock asks the system for size bytes; ErrMemory where it refuses.
func NewBlock(size int) (Block, error) {
	p := C.mn_block_new(C.size_t(size))
	if p == nil {
		return Block{}, ErrMemory
	}
	return Block{p, size}, nil
}

// Free gives the block back to the system.
func (b Block) Free() { C.mn_block_free(b.at, C.size_t(b.Size)) }

// Net is the parameters and the optimiser's state.
type Net struct {
	c      *C.mn_net
	params []float32
	grads  []float32
}

// NewNet makes a net of trained values followed by running averages; optimizer
// is 0 Adam, 1 RMSprop, 2 Adagrad, 3 Adadelta, 4 SGD.
func NewNet(trained, running, optimizer int) (*Net, error) {
	n := &Net{}
	if err := failure(C.mn_net_new(C.size_t(trained), C.size_t(running), C.int(optimizer), &n.c)); err != nil {
		return nil, err
	}
	n.params = unsafe.Slice((*float32)(C.mn_net_params(n.c)), trained+running)
	n.grads = unsafe.Slice((*float32)(C.mn_net_grads(n.c)), trained)
	return n, nil
}

// Params are the flat values, in memory of the net.
func (n *Net) Params() []float32 { return n.params }

// Grads are the gradients of the last step, in memory of the net.
func (n *Net) Grads() []float32 { return n.grads }

// Slot is what the optimiser keeps of each trained value, 0 or 1, in memory of the
// net; empty where its rule keeps less.
func (n *Net) Slot(i int) []float32 {
	var at *C.float
	size := C.mn_net_slot(n.c, C.int(i), &at)
	return unsafe.Slice((*float32)(at), size)
}

// Averages are the sums behind the running averages, in memory of the net.
func (n *Net) Averages() []float64 {
	return unsafe.Slice((*float64)(C.mn_net_averages(n.c)), len(n.params)-len(n.grads))
}

// Steps is how many steps there were; SetSteps says so.
func (n *Net) Steps() uint64 { return uint64(*C.mn_net_step(n.c)) }

// SetSteps is described with Steps.
func (n *Net) SetSteps(steps uint64) { *C.mn_net_step(n.c) = C.int64_t(steps) }

// Reset forgets the optimiser's state, the step count and the averages.
func (n *Net) Reset() { C.mn_net_reset(n.c) }

// Free ends the net; its plans must be freed before.
func (n *Net) Free() { C.mn_net_free(n.c) }

// Plan is a lowered plan, ready to run once it is bound.
type Plan struct {
	c              *C.mn_plan
	latent, logits int
}

// NewPlan makes the steps of p on the net.
func NewPlan(n *Net, p *plan.Plan) (*Plan, error) {
	tensors := make([]C.mn_tensor, len(p.Tensors))
	for i, t := range p.Tensors {
		tensors[i] = C.mn_tensor{
			n: C.int32_t(t.N), c: C.int32_t(t.C), h: C.int32_t(t.H), w: C.int32_t(t.W),
			bytes_per_value: C.int32_t(t.Width), offset: C.size_t(t.Offset),
		}
	}
	made := &Plan{latent: p.Latent, logits: p.Logits}
	if err := failure(C.mn_plan_new(n.c, flag(p.Training), &tensors[0], C.int(len(tensors)), C.size_t(p.Arena), &made.c)); err != nil {
		return nil, err
	}
	for i := range p.Steps {
		s := step(&p.Steps[i])
		if err := failure(C.mn_plan_add(made.c, &s)); err != nil {
			made.Free()
			return nil, err
		}
	}
	return made, nil
}

func step(s *plan.Step) C.mn_step {
	return C.mn_step{
		kind: C.int32_t(s.Kind),
		x:    C.int32_t(s.X), x2: C.int32_t(s.X2), y: C.int32_t(s.Y), dy: C.int32_t(s.DY), dx: C.int32_t(s.DX),
		aux: C.int32_t(s.Aux), stats: C.int32_t(s.Stats),
		weight: C.int32_t(s.Weight), bias: C.int32_t(s.Bias), gamma: C.int32_t(s.Gamma), beta: C.int32_t(s.Beta),
		mean: C.int32_t(s.Mean), variance: C.int32_t(s.Variance),
		kernel: C.int32_t(s.Kernel), stride: C.int32_t(s.Stride),
		act: C.int32_t(s.Act), before: C.int32_t(s.Before), resample: C.int32_t(s.Resample),
		norm: flag(s.Norm), loss: C.int32_t(s.Loss),
		rate: C.double(s.Rate), bce: C.double(s.Blend.BCE), mse: C.double(s.Blend.MSE), ssim: C.double(s.Blend.SSIM), layer: C.uint32_t(s.Layer), seed: C.uint64_t(s.Seed),
	}
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Bytes is the size of the block that the plan needs.
func (p *Plan) Bytes() int { return int(C.mn_plan_bytes(p.c)) }

// Bind gives the plan its block; plans that don't run at once may share one.
func (p *Plan) Bind(b Block) { C.mn_plan_bind(p.c, b.at) }

// Free ends the plan.
func (p *Plan) Free() { C.mn_plan_free(p.c) }

// Data are rows of images or of features, with labels for a classifier.
type Data struct {
	Images   []uint8
	Features []float32
	Labels   []int32
}

// Train runs len(rates) steps in one call.
func (p *Plan) Train(d *Data, rows []int32, rates, losses []float32) error {
	if len(rates) == 0 {
		return nil
	}
	return failure(C.mn_train(p.c, (*C.uint8_t)(unsafe.SliceData(d.Images)), (*C.float)(unsafe.SliceData(d.Features)),
		(*C.int32_t)(unsafe.SliceData(d.Labels)), (*C.int32_t)(&rows[0]), C.int(len(rates)),
		(*C.float)(&rates[0]), (*C.float)(&losses[0])))
}

// Forward runs rows through an inference plan. It adds to sums (BCE or
// cross-entropy, squared error or right answers, and with similar the images'
// structural similarity), and writes latent and output; each may be nil.
func (p *Plan) Forward(d *Data, rows []int32, classifier, similar bool, latent, output []float32, sums *[3]float64) error {
	if len(rows) == 0 {
		return nil
	}
	return failure(C.mn_forward(p.c, (*C.uint8_t)(unsafe.SliceData(d.Images)), (*C.float)(unsafe.SliceData(d.Features)),
		(*C.int32_t)(unsafe.SliceData(d.Labels)), (*C.int32_t)(&rows[0]), C.size_t(len(rows)), flag(classifier), flag(similar),
		C.int(p.latent), C.int(p.logits), (*C.float)(unsafe.SliceData(latent)), (*C.float)(unsafe.SliceData(output)), (*C.double)(unsafe.Pointer(sums))))
}

// Profile turns timing of the plan's steps on.
func (p *Plan) Profile() { C.mn_plan_profile(p.c, 1) }

// Seconds fills in the processor time of each lowered step since the last call,
// then the optimiser's: one more than there are steps.
func (p *Plan) Seconds(s []float64) { C.mn_plan_seconds(p.c, (*C.double)(&s[0])) }

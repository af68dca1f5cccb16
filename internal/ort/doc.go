// Package ort runs ONNX models through ONNX Runtime, whose library is found at
// run time: see Find for where.
//
// Promises: the library is loaded once in a process and never unloaded; a file
// that is no usable libonnxruntime is refused before anything in it runs; a
// model is read by package onnx before the library sees it, so that the library
// opens no other file; shapes, types and counts are checked before a run.
// Sessions are safe for concurrent use, and any number may be open.
//
// Costs: loading takes some 30 ms, opening a session a few ms and twice the
// model's size, a Run copies nothing: it reads and writes the caller's slices.
package ort

import (
	"strconv"
	"strings"

	"moncae/internal/fault"
	"moncae/internal/onnx"
)

// Options say how a model is run. The zero value is good.
type Options struct {
	// Library is a libonnxruntime or a folder with one; "" looks in the usual places.
	Library string
	// Device is auto, cpu, cuda or cuda:N; "" is auto, which takes a GPU where
	// there is one that works.
	Device string
	// Threads within one run; 0 lets ONNX Runtime take a thread a core.
	Threads int
	// Output is the one output that Run gives; "": all of them.
	Output string
	// Name is what errors call the model; OpenFile sets it to the path.
	Name string
}

// The execution providers that a session can have.
const (
	CPU  = "CPUExecutionProvider"
	CUDA = "CUDAExecutionProvider"
)

// Tensor is an input or output of one run.
type Tensor struct {
	Shape []int64
	// Data are the values in row-major order, exactly as many as the shape has:
	// []float32, []uint16 (the bits of float16), []uint8 or []int64.
	Data any
}

// Floats is a float32 tensor over v.
func Floats(v []float32, shape ...int64) Tensor { return Tensor{shape, v} }

// device is a parsed Options.Device.
type device struct {
	cuda, must bool // must: no falling back
	index      int
}

func parseDevice(s string) (device, error) {
	switch s {
	case "", "auto":
		return device{cuda: true}, nil
	case "cpu":
		return device{}, nil
	case "cuda":
		return device{cuda: true, must: true}, nil
	}
	if number, ok := strings.CutPrefix(s, "cuda:"); ok {
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			return device{cuda: true, must: true, index: n}, nil
		}
	}
	return device{}, fault.Usagef("device %q: auto, cpu, cuda or cuda:N is wanted", s)
}

// wanted tells whether the device is a GPU as far as one can be there.
func (d device) wanted() bool { return d.cuda && (d.must || nvidiaPresent()) }

// elements is the number of values of a shape whose sides are at least 1.
func elements(shape []int64) (int64, bool) {
	n := int64(1)
	for _, d := range shape {
		if d < 1 || n > (1<<40)/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// fits tells whether a tensor of the given shape can be the value v. One whose shape
// the model doesn't say is the runtime's to judge.
func fits(shape []int64, v onnx.Value) bool {
	if len(v.Dims) == 0 {
		return true
	}
	if len(shape) != len(v.Dims) {
		return false
	}
	for i, d := range v.Dims {
		if d >= 0 && d != shape[i] {
			return false
		}
	}
	return true
}

//go:build cgo

package ort

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"

	"moncae/internal/fault"
	"moncae/internal/onnx"
)

// Session is a model ready to run.
type Session struct {
	name     string
	model    *onnx.Model
	ins      []onnx.Value
	outs     []onnx.Value
	provider string
	session  *ort.DynamicAdvancedSession
}

// OpenModel opens a model.
func OpenModel(m *onnx.Model, o Options) (*Session, error) {
	d, err := parseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	if o.Threads < 0 {
		return nil, fault.Usagef("%d threads: 0 (one a core) or more are wanted", o.Threads)
	}
	if _, _, err := LoadFor(o.Library, o.Device); err != nil {
		return nil, err
	}
	s := &Session{name: o.name(), model: m, ins: m.Inputs(), outs: m.Outputs(), provider: CPU}
	if o.Output != "" {
		s.outs = slices.DeleteFunc(s.outs, func(v onnx.Value) bool { return v.Name != o.Output })
		if len(s.outs) == 0 {
			return nil, fault.Usagef("%s: it has no output %q", s.name, o.Output)
		}
	}
	if d.wanted() {
		err := s.open(o, &d)
		if err == nil {
			s.provider = CUDA
			return s, nil
		}
		if d.must {
			return nil, fault.Missingf("%s: device %s: %w (CUDA needs the library of \"pip install onnxruntime-gpu\", its CUDA and cuDNN on LD_LIBRARY_PATH, and a working driver)", s.name, o.Device, err)
		}
		reportFallback(err)
	}
	if err := s.open(o, nil); err != nil {
		if m.Own() {
			return nil, fault.Damagedf("%s: ONNX Runtime refuses the model: %w; export it anew", s.name, plain(err))
		}
		return nil, fault.Usagef("%s: ONNX Runtime refuses the model: %w", s.name, plain(err))
	}
	return s, nil
}

func (o Options) name() string {
	if o.Name == "" {
		return "the model"
	}
	return o.Name
}

// open makes the runtime's session, on a GPU unless gpu is nil.
func (s *Session) open(o Options, gpu *device) error {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer func() { _ = options.Destroy() }() // fails only where it was destroyed before
	// A pool that spins while it waits takes the cores from everything beside it.
	err = errors.Join(
		options.SetIntraOpNumThreads(o.Threads), options.SetInterOpNumThreads(1),
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err == nil && gpu != nil {
		err = appendCUDA(options, gpu.index)
	}
	if err != nil {
		return err
	}
	s.session, err = ort.NewDynamicAdvancedSessionWithONNXData(s.model.Bytes(), names(s.ins), names(s.outs), options)
	return err
}

func names(vs []onnx.Value) []string {
	ns := make([]string, len(vs))
	for i, v := range vs {
		ns[i] = v.Name
	}
	return ns
}

// Inputs are what Run takes, in order.
func (s *Session) Inputs() []onnx.Value { return s.ins }

// Outputs are what Run gives, in order.
func (s *Session) Outputs() []onnx.Value { return s.outs }

// Provider is the execution provider: CPU or CUDA.
func (s *Session) Provider() string { return s.provider }

// Close frees the session; no Run may be under way.
func (s *Session) Close() error { return s.session.Destroy() }

// Run reads ins and fills outs, both in the order of Inputs and Outputs, and
// both the caller's: nothing is copied or kept.
func (s *Session) Run(ins, outs []Tensor) error {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	in, err := s.values("input", ins, s.ins, &pinner)
	defer destroy(in)
	if err != nil {
		return err
	}
	out, err := s.values("output", outs, s.outs, &pinner)
	defer destroy(out)
	if err != nil {
		return err
	}
	if err := s.session.Run(in, out); err != nil {
		return fmt.Errorf("%s: ONNX Runtime: %w", s.name, plain(err))
	}
	return nil
}

// Shapes runs ins and gives the shapes of what comes out, in the order of Outputs,
// whatever the model declares. The outputs are float32: the binding can't take those
// of float16.
func (s *Session) Shapes(ins []Tensor) (shapes [][]int64, err error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	in, err := s.values("input", ins, s.ins, &pinner)
	defer destroy(in)
	if err != nil {
		return nil, err
	}
	out := make([]ort.Value, len(s.outs))
	if err := s.session.Run(in, out); err != nil {
		return nil, fmt.Errorf("%s: ONNX Runtime: %w", s.name, plain(err))
	}
	defer destroy(out)
	for _, v := range out {
		shapes = append(shapes, v.GetShape())
	}
	return shapes, nil
}

// values wraps the tensors for the runtime; what it gives must be destroyed,
// with an error too.
func (s *Session) values(what string, ts []Tensor, want []onnx.Value, pinner *runtime.Pinner) ([]ort.Value, error) {
	if len(ts) != len(want) {
		return nil, fmt.Errorf("%s: %d %ss are given, it has %d", s.name, len(ts), what, len(want))
	}
	var vs []ort.Value
	for i, t := range ts {
		if !fits(t.Shape, want[i]) {
			return vs, fmt.Errorf("%s: %s %q has the shape %v; %v is wanted (-1: any)", s.name, what, want[i].Name, t.Shape, want[i].Dims)
		}
		v, err := wrap(t, want[i].Type, pinner)
		if err != nil {
			return vs, fmt.Errorf("%s: %s %q: %w", s.name, what, want[i].Name, err)
		}
		vs = append(vs, v)
	}
	return vs, nil
}

func destroy(vs []ort.Value) {
	for _, v := range vs {
		_ = v.Destroy() // a tensor's gives the handle back and can't fail
	}
}

func wrap(t Tensor, want onnx.Type, pinner *runtime.Pinner) (ort.Value, error) {
	switch data := t.Data.(type) {
	case []float32:
		return tensorOf(t.Shape, data, onnx.Float, want, pinner)
	case []uint8:
		return tensorOf(t.Shape, data, onnx.Uint8, want, pinner)
	case []int64:
		return tensorOf(t.Shape, data, onnx.Int64, want, pinner)
	case []uint16:
		if err := checkData(t.Shape, len(data), onnx.Float16, want); err != nil {
			return nil, err
		}
		pinner.Pin(&data[0])
		b := unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), 2*len(data))
		return ort.NewCustomDataTensor(t.Shape, b, ort.TensorElementDataTypeFloat16)
	}
	return nil, fmt.Errorf("data of Go type %T can't be run", t.Data)
}

func tensorOf[T float32 | uint8 | int64](shape []int64, data []T, have, want onnx.Type, pinner *runtime.Pinner) (ort.Value, error) {
	if err := checkData(shape, len(data), have, want); err != nil {
		return nil, err
	}
	pinner.Pin(&data[0])
	return ort.NewTensor(ort.Shape(shape), data)
}

func checkData(shape []int64, length int, have, want onnx.Type) error {
	if have != want {
		return fmt.Errorf("%v values are given, %v is wanted", have, want)
	}
	if n, ok := elements(shape); !ok || n != int64(length) {
		return fmt.Errorf("%d values are given for the shape %v", length, shape)
	}
	return nil
}

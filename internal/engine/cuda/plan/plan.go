// Package plan lowers a network's graphs to what a GPU runs: lists of kernel
// launches and cuDNN convolutions over one block of memory.
//
// It is pure: no device, no cgo. Activations are NHWC, in bfloat16 where the
// training asks for it; weights, their gradients, statistics, logits and losses
// are float32. What Gorgonia keeps apart is fused again: convolution, bias and
// activation; batch norm and activation; batch norm's gradients; a loss and its
// gradient. Kernels and their partition are a static rule on shapes, so a
// network gives the same plan, and the same bits, wherever it runs.
//
// A plan takes about a millisecond to make.
package plan

import (
	"fmt"
	"math"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// Region is a block of a program's device memory, or of its data's.
type Region int

// The regions. Arena holds activations, their gradients and scratch memory.
const (
	Arena     Region = iota
	Params           // all parameters: the trained ones first, flat, float32
	Grads            // gradients of the trained ones, in their layout
	SlotA            // the optimiser's first value for each trained parameter
	SlotB            // its second
	Running          // raw running averages, in the order of the untrained parameters
	HalfParam        // the trained parameters in bfloat16
	HalfGrad         // cuDNN's weight gradients in bfloat16
	Counter          // int32: how often the graph ran in this call
	Steps            // uint64: training steps so far
	Rows             // int32 row numbers of this call
	Rates            // float32 learning rates of this call
	Losses           // float32 losses of this call
	Measures         // float64, MeasuresARow for each row of an evaluation
	Latents          // float32 NCHW
	Outputs          // float32 NCHW
	Sums             // the table of the sums that end a step
	Source           // the data's images or features
	Labels           // int32
	Base             // where the program's block of memory begins: places in that table count from it
	Null             // no memory: a null pointer
	regions
)

// MeasuresARow is how many measures an evaluation makes of a row.
const MeasuresARow = 3

// Ref is a place in a region; in the Arena, in one of the plan's buffers.
type Ref struct {
	In     Region
	Buffer int
	Offset int64 // bytes
}

// Step is a Launch or a Conv.
type Step any

// Launch runs a kernel. Args are Ref, int32, int64, uint32, uint64, float32 or
// float64, as the kernel's parameters have it.
type Launch struct {
	Kernel string
	Grid   [3]int
	Block  int
	Args   []any
	MACs   int64 // multiply-adds of a convolution
	// Sums are those of a sum_step, which finds its memory by the table in Sums.
	Sums []Sum
}

// Refs are the places that a step names.
func Refs(s Step) []Ref {
	var all []Ref
	switch s := s.(type) {
	case Launch:
		for _, a := range s.Args {
			if r, ok := a.(Ref); ok {
				all = append(all, r)
			}
		}
		for _, sum := range s.Sums {
			all = append(all, sum.From, sum.To)
		}
	case Conv:
		all = append(all, s.Input, s.Weight, s.Output, s.Workspace)
	}
	return all
}

// Bits is an argument as 8 bytes whose first are the parameter; address says where a
// place is.
func Bits(arg any, address func(Ref) uint64) uint64 {
	switch v := arg.(type) {
	case Ref:
		return address(v)
	case int32:
		return uint64(uint32(v))
	case uint32:
		return uint64(v)
	case int64:
		return uint64(v)
	case uint64:
		return v
	case float32:
		return uint64(math.Float32bits(v))
	case float64:
		return math.Float64bits(v)
	}
	panic(fmt.Sprintf("plan: an argument of type %T", arg))
}

// Kind tells the three convolutions of a layer apart.
type Kind int

// The convolutions: y from x, dx from dy, dw from x and dy.
const (
	Forward Kind = iota
	InputGrad
	WeightGrad
)

func (k Kind) String() string { return [...]string{"forward", "input gradient", "weight gradient"}[k] }

// Geometry is a convolution's shapes: x [N,H,W,C], w [O,K,K,C], y [N,YH,YW,O].
type Geometry struct{ N, H, W, C, YH, YW, O, Kernel, Stride int }

func (g Geometry) String() string {
	return fmt.Sprintf("%d×%d×%d×%d to %d×%d×%d, kernel %d, stride %d", g.N, g.H, g.W, g.C, g.YH, g.YW, g.O, g.Kernel, g.Stride)
}

// MACs are the multiply-adds of each of its three convolutions.
func (g Geometry) MACs() int64 {
	return int64(g.N) * int64(g.YH) * int64(g.YW) * int64(g.O) * int64(g.Kernel) * int64(g.Kernel) * int64(g.C)
}

// Problem is what of a convolution decides how cuDNN computes it.
type Problem struct {
	Kind Kind
	Geometry
	Half  bool // bfloat16
	Exact bool // no TF32
}

// Precision is what the products are made of.
func (p Problem) Precision() string {
	switch {
	case p.Half:
		return "bf16"
	case p.Exact:
		return "f32"
	}
	return "tf32"
}

func (p Problem) String() string {
	return fmt.Sprintf("%v of %v in %s", p.Kind, p.Geometry, p.Precision())
}

// Conv is a convolution that cuDNN computes. Input, Weight and Output are x, w
// and y of Geometry, or their gradients, according to Kind.
type Conv struct {
	Problem
	Bytes     int64 // of Workspace
	Input     Ref
	Weight    Ref
	Output    Ref
	Workspace Ref
}

// Chooser tells of a convolution how much scratch memory cuDNN wants for it, in
// bytes; ok is false where cuDNN has no deterministic way, and our own kernels do it.
type Chooser interface {
	Choose(p Problem) (workspace int64, ok bool)
}

// Options are what a plan depends on beside the net.
type Options struct {
	Optimizer arch.Optimizer
	Half      bool    // training activations in bfloat16
	TF32      bool    // cuDNN may use TF32 in training
	CuDNN     Chooser // nil without cuDNN
	Floats    bool    // the data are features, not bytes
}

// Plan is a program for a device.
type Plan struct {
	Net *graph.Net
	// Train is one training step, Evaluate and Infer one batch of each.
	Train, Evaluate, Infer []Step
	// Start follows new weights: what a step wants that the one before left.
	Start          []Step
	Bytes          int64   // of the Arena
	offsets, sizes []int64 // of buffers in the Arena
	Layout         Layout
	Library        bool // some step is a Conv
}

// Offset is the place of r in its region, in bytes.
func (p *Plan) Offset(r Ref) int64 {
	if r.In == Arena {
		return p.offsets[r.Buffer] + r.Offset
	}
	return r.Offset
}

// Size is the length of the arena's buffer that r is in, in bytes.
func (p *Plan) Size(r Ref) int64 { return p.sizes[r.Buffer] }

// New lowers the net's graphs.
func New(net *graph.Net, o Options) (*Plan, error) {
	layout, err := newLayout(net)
	if err != nil {
		return nil, err
	}
	p := &Plan{Net: net, Layout: layout}
	memory := &memory{}
	train := lowering{net: net, layout: &p.Layout, options: o, memory: memory, half: o.Half, training: true}
	if p.Train, err = train.train(); err != nil {
		return nil, err
	}
	p.Library, p.Start = train.library, train.start()
	infer := lowering{net: net, layout: &p.Layout, options: o, memory: memory}
	if p.Evaluate, p.Infer, err = infer.infer(); err != nil {
		return nil, err
	}
	p.Library = p.Library || infer.library
	p.offsets, p.Bytes = memory.place()
	for _, b := range memory.buffers {
		p.sizes = append(p.sizes, int64(b.Bytes))
	}
	return p, nil
}

// Package engine is the contract between a network's graph and what runs it.
//
// An Engine compiles a graph.Net to a Program: parameters, optimiser state and
// buffers live inside, the training data is on the device once, and a training
// step takes row numbers. The engines are ref (Gorgonia's tape machine over the
// pure-Go kernels of internal/ops: the meaning), onednn and cuda. One suite,
// engine/enginetest, runs on all of them.
//
// Promises that every engine keeps:
//   - the same engine, library version, device model, net, seed and rows give
//     bit-identical weights, whatever else runs beside it;
//   - a Program is used by one goroutine at a time; different Programs of one
//     Engine may run at the same time;
//   - Train allocates nothing after its first call;
//   - Evaluate, Infer and Decode compute in float32, whatever the training precision.
package engine

import (
	"errors"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/graph"
)

// Engine runs programs on one device.
type Engine interface {
	// Info describes the engine and its device.
	Info() Info
	// Load brings data to the device, once; programs share it. The engine keeps
	// reading d's slices, which must not change until Close of the Data.
	Load(d Source) (Data, error)
	// Compile makes a program with the given weights (see Program.SetWeights).
	// ErrMemory where the device can't hold it.
	Compile(net *graph.Net, data Data, cfg Config) (Program, error)
	Close() error
}

// Info describes an engine.
type Info struct {
	Name    string `json:"name"`    // ref, onednn, cuda
	Version string `json:"version"` // of the library that computes
	Device  string `json:"device"`  // what a person calls it, for example the processor's name
	Workers int    `json:"workers"` // programs that can usefully run at once
	// Model and ISA are what the device's arithmetic depends on: its model, and
	// the instructions that are used of it.
	Model string `json:"-"`
	ISA   string `json:"-"`
	// Precisions are those that it trains in.
	Precisions []Precision `json:"-"`
}

// CheckPrecision refuses a precision that is not one of an engine's own; "" is
// Float32, which every engine has.
func CheckPrecision(p Precision, own []Precision) error {
	if p != "" && !slices.Contains(own, p) {
		return fault.Usagef("precision %s is not one of this engine's, %v", p, own)
	}
	return nil
}

// Source is data in host memory: images, or features with labels.
type Source struct {
	Shape arch.Shape
	// Images are N·C·H·W values in NCHW order; the networks see float32(v)/255.
	Images []uint8
	// Features replace Images, N·C·H·W float32 in NCHW order.
	Features []float32
	// Labels are N class numbers, for classifiers only.
	Labels []int32
}

// Rows is the number of images or feature maps.
func (s Source) Rows() int { return max(len(s.Images), len(s.Features)) / s.Shape.Values() }

// Data is a Source on a device.
type Data interface {
	Source() Source
	Close() error
}

// Precision is what the convolutions of a training compute in.
type Precision string

// The precisions. An engine refuses one that it doesn't have.
const (
	Float32  Precision = "f32"
	BFloat16 Precision = "bf16"
	TF32     Precision = "tf32"
)

// Auto is the precision that Resolve takes for a device.
const Auto Precision = "auto"

// Resolve is p, or for Auto the fastest precision that the engine trains in and that
// `make precision` found to cost a search nothing that it would notice.
func (i Info) Resolve(p Precision) Precision {
	if p != Auto {
		return p
	}
	for _, fast := range []Precision{BFloat16, TF32} {
		if slices.Contains(i.Precisions, fast) {
			return fast
		}
	}
	return Float32
}

// Config is what a program is compiled with beside its net.
type Config struct {
	Optimizer arch.Optimizer
	Precision Precision // "" is Float32
	Weights   arch.Weights
}

// Program is one network on a device.
type Program interface {
	// Train runs len(rates) steps; step i takes the rows batch·i … batch·(i+1)−1
	// of rows and the learning rate rates[i], and leaves its mean loss (before the
	// update) in losses[i]. len(rows) must be len(rates)·batch.
	Train(rows []int32, rates []float32, losses []float32) error
	// Evaluate gives the means over rows, one or more of them; of none there are
	// no means, which is an error.
	Evaluate(rows []int32) (Metrics, error)
	// Infer runs rows, any number of them, and writes latents and outputs in NCHW
	// order; either may be nil. An autoencoder's output is the reconstruction,
	// sigmoid(logits); a classifier's are the logits.
	Infer(rows []int32, latent, output []float32) error
	// Weights copies every parameter out, running averages bias-corrected.
	Weights() (arch.Weights, error)
	// SetWeights replaces every parameter and resets the optimiser's state and the
	// step count. Running averages are those of w until the first step, and from
	// then on the bias-corrected averages of the batches since (momentum 0.9).
	SetWeights(w arch.Weights) error
	// State copies out where the training stands. SetState goes on from there: in
	// another Program of the same net, data and Config, on the same engine, library
	// version and device model, the steps that follow give the same bits.
	State() (State, error)
	SetState(s State) error
	Close() error
}

// Metrics are means over all values of all rows, in float64 sums.
type Metrics struct {
	Loss float64 // the net's own loss
	BCE  float64 // nats; autoencoders only
	MSE  float64 // autoencoders only
	// Accuracy is the share of rows whose largest logit is the label's; classifiers only.
	Accuracy float64
}

// ErrMemory is wrapped by errors of allocations that the device refused.
var ErrMemory = errors.New("out of memory")

// ErrLost is wrapped by errors after which this process can't use the device any
// more; a new process can. It says nothing about the program that met it.
var ErrLost = errors.New("the device is lost for this process")

// ErrFault is wrapped by errors that one program brings about and that leave the
// engine fit for others: the device refuses it, or faults on it.
var ErrFault = errors.New("the device fails on this network")

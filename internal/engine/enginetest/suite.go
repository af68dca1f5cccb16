// Package enginetest is the one suite that every engine passes.
//
// It holds an engine against ref, forward and backward: a step with plain
// momentum from rest moves every parameter by −rate·gradient, so a Program's
// weights before and after it give away every gradient, and its running averages
// the batch's statistics. ref itself is held against central differences of its
// own loss. All else that package engine promises (bit-identity, refusals,
// round trips, partial batches, no allocations) is tried too.
//
// The networks are small, for ref's slowness sets the time: about 20 s for all.
package enginetest

import (
	"testing"

	"moncae/internal/engine"
	"moncae/internal/graph"
)

// Tolerances say how far an engine may be from ref.
type Tolerances struct {
	// Precision is that of the trainings, "" for float32. For another one the
	// suite leaves out what needs float32's accuracy (differences, deep networks),
	// and holds inference to be float32's to the bit.
	Precision engine.Precision
	// Value is for losses, metrics, statistics and outputs, relative to
	// max(1, |value|). Zero is 1e-5, for float32 sums of thousands of terms.
	Value float64
	// Gradient is for the L2 distance of a tensor's gradients, relative to their
	// norm plus a tenth of that of all gradients. Zero is 1e-4.
	Gradient float64
	// Allocates excuses an engine from allocating nothing in Train.
	Allocates bool
	// Networks is the number of random networks, 200 where it is zero; a fifth of
	// them with -short.
	Networks int
	// Filters is the width of the five large networks, 16 (to 64) where it is zero.
	Filters int
}

type test struct {
	name string
	run  func(*testing.T)
}

// coarse is an engine that trains in a precision which nobody asked it for.
type coarse struct {
	engine.Engine
	precision engine.Precision
}

func (c coarse) Compile(net *graph.Net, d engine.Data, cfg engine.Config) (engine.Program, error) {
	cfg.Precision = c.precision
	return c.Engine.Compile(net, d, cfg)
}

// suite is one engine under test.
type suite struct {
	engine engine.Engine
	Tolerances
	asked, told int // gradients that differences were asked about, and told of
}

// Run tests the engine that open gives, which must skip the test where there is
// no device. The suite closes the engine.
func Run(t *testing.T, open func(t *testing.T) engine.Engine, tol Tolerances) {
	s := &suite{engine: open(t), Tolerances: tol}
	if tol.Precision != "" {
		s.engine = coarse{s.engine, tol.Precision}
	}
	defer func() {
		if err := s.engine.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	if s.Value == 0 {
		s.Value = 1e-5
	}
	if s.Gradient == 0 {
		s.Gradient = 1e-4
	}
	if s.Filters == 0 {
		s.Filters = 16
	}
	if s.Networks == 0 {
		s.Networks = 200
	}
	if testing.Short() {
		s.Networks /= 5
	}
	every := []test{
		{"Layers", s.testLayers},
		{"Transposed", s.testTransposed},
		{"Losses", s.testLosses},
		{"Classifiers", s.testClassifiers},
		{"Averages", s.testAverages},
		{"Repeatable", s.testRepeatable},
		{"Concurrent", s.testConcurrent},
		{"RoundTrip", s.testRoundTrip},
		{"Allocations", s.testAllocations},
	}
	if tol.Precision != "" {
		every = append(every, test{"InferenceIsFloat32", s.testInferenceIsFloat32})
	} else {
		every = append(every, []test{
			{"Info", s.testInfo},
			{"Dropout", s.testDropout},
			{"Denoising", s.testDenoising},
			{"RandomNetworks", s.testRandomNetworks},
			{"AnyNetworks", s.testAnyNetworks},
			{"LargeNetworks", s.testLargeNetworks},
			{"Differences", s.testDifferences},
			{"Optimizers", s.testOptimizers},
			{"Curve", s.testCurve},
			{"RowCounts", s.testRowCounts},
			{"EvaluateIsInfer", s.testEvaluateIsInfer},
			{"State", s.testState},
			{"Refusals", s.testRefusals},
		}...)
	}
	for _, test := range every {
		t.Run(test.name, test.run)
	}
	if s.told < s.asked*3/4 {
		t.Errorf("differences told of %d gradients of %d", s.told, s.asked)
	}
}

func (s *suite) testInfo(t *testing.T) {
	i := s.engine.Info()
	if i.Name == "" || i.Version == "" || i.Device == "" || i.Workers < 1 || i.Model == "" || i.ISA == "" {
		t.Errorf("%+v lacks a name, a version, a device, workers, a model or an instruction set", i)
	}
}

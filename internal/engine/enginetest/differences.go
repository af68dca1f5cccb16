package enginetest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
)

// testDifferences holds the engine's own gradients against central differences
// of its own loss.
func (s *suite) testDifferences(t *testing.T) {
	for _, loss := range losses {
		for _, sigma := range []float64{0, 0.3} {
			for _, fault := range s.differences(t, denoiser(t, smooth(), 3, loss, sigma, 5)) {
				t.Error(fault)
			}
		}
	}
}

// A difference moves the loss by rise, large against its rounding to float32
// and small against its curvature, but a tensor by no more than farthest.
const (
	rise     = 0.002
	farthest = 0.02
)

// differences compares, tensor by tensor, the norm of the gradient with central
// differences of the loss along it, at two widths, the finer one's error removed
// by Richardson's rule. The tolerance is what the rounding of the losses to
// float32 can move the quotient by (four roundings, for engines that sum in
// float32), plus a third of the difference between the two, the rule's own step.
// Where either is large against the gradient, differences can't tell; the
// suite counts how often they can.
func (s *suite) differences(t *testing.T, tr trial) (faults []string) {
	t.Helper()
	p := tr.compile(t, s.engine, arch.SGD)
	gradients := tr.result(t, s.engine).gradients
	for _, q := range tr.net.Params {
		g := gradients[q.Name]
		norm := math.Sqrt(square(g, nil))
		if !q.Trained() || norm < 1e-4 {
			continue
		}
		s.asked++
		width := min(rise/norm, farthest)
		quotient := func(h float64) float64 {
			return (tr.lossAt(t, p, q.Name, g, h/norm) - tr.lossAt(t, p, q.Name, g, -h/norm)) / (2 * h)
		}
		wide, narrow := quotient(width), quotient(width/2)
		rounding, truncation := 4.0/(1<<24)/width, math.Abs(wide-narrow)
		if rounding > 0.05*norm || truncation > 0.05*norm {
			continue
		}
		s.told++
		best := narrow + (narrow-wide)/3
		tolerance := 2*rounding + truncation/3 + 1e-4*norm
		if d := math.Abs(best - norm); !(d <= tolerance) {
			faults = append(faults, fmt.Sprintf("gradient of %s has norm %.5g, the difference along it is %.5g, tolerance %.2g", q.Name, norm, best, tolerance))
		}
	}
	return faults
}

// lossAt is the training loss of the first batch with one tensor moved.
func (tr trial) lossAt(t *testing.T, p engine.Program, name string, direction []float64, by float64) float64 {
	t.Helper()
	w := tr.weights.Clone()
	for i := range w[name] {
		w[name][i] += float32(by * direction[i])
	}
	must(t, p.SetWeights(w))
	return float64(train(t, p, tr.rows(tr.net.Batch), 0)[0])
}

// kinkless is a itself, or for ref, which is held against differences, a twin
// of it without the kinks of ReLU and pooling that these would trip over. (The
// gradients of those are tested value by value in package ops.)
func (s *suite) kinkless(a arch.Arch) arch.Arch {
	a.Encoder, a.Decoder = s.kinklessStack(a.Encoder), s.kinklessStack(a.Decoder)
	return a
}

func (s *suite) kinklessStack(stack arch.Stack) arch.Stack {
	if s.engine.Info().Name != "ref" {
		return stack
	}
	twin := slices.Clone(stack)
	for i, l := range twin {
		switch {
		case l.Kind == arch.MaxPool:
			filters := 2
			for _, before := range twin[:i] {
				if before.Kind == arch.Conv || before.Kind == arch.Transpose {
					filters = before.Filters
				}
			}
			twin[i] = conv(filters, 3, 2)
		case l.Activation == arch.ReLU:
			twin[i].Activation = arch.SiLU
		case l.Activation == arch.LeakyReLU:
			twin[i].Activation = arch.ELU
		}
	}
	return twin
}

package enginetest

import (
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// testState stops a training, goes on in another program, and compares with one
// that was not stopped: for every optimiser, precision and kind of network, stopped
// before the first step too.
func (s *suite) testState(t *testing.T) {
	precisions := s.engine.Info().Precisions
	for i, a := range []arch.Arch{smooth(), normed()} {
		tr := autoencoder(t, a, 3, graph.BCE, uint64(101+i))
		for _, rule := range []arch.Optimizer{arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD} {
			for _, precision := range precisions {
				for _, after := range []int{0, 1, 4} {
					s.resume(t, tr, engine.Config{Optimizer: rule, Precision: precision, Weights: tr.weights}, after)
				}
			}
		}
	}
}

// resume trains for seven steps, and stops once in one of two trainings.
func (s *suite) resume(t *testing.T, tr trial, cfg engine.Config, after int) {
	t.Helper()
	const steps = 7
	rows := tr.rows(steps * tr.net.Batch)
	rates := make([]float32, steps)
	for i := range rates {
		rates[i] = 0.01 * float32(1+i%3)
	}
	whole := tr.compileWith(t, s.engine, cfg)
	losses := train(t, whole, rows, rates...)
	want, err := whole.State()
	must(t, err)

	first := tr.compileWith(t, s.engine, cfg)
	train(t, first, rows[:after*tr.net.Batch], rates[:after]...)
	stopped, err := first.State()
	must(t, err)
	train(t, first, rows[:tr.net.Batch], 0.5) // a State is a copy
	must(t, stopped.Check(tr.net.Params))
	cfg.Weights = weights(tr.net.Params, 99)
	second := tr.compileWith(t, s.engine, cfg)
	train(t, second, rows[:tr.net.Batch], 0.5) // what was before doesn't matter
	must(t, second.SetState(stopped))
	for i, loss := range train(t, second, rows[after*tr.net.Batch:], rates[after:]...) {
		if loss != losses[after+i] {
			t.Errorf("%s %s, stopped after %d steps: loss of step %d is %v, not stopped it was %v", cfg.Optimizer, cfg.Precision, after, after+i, loss, losses[after+i])
		}
	}
	got, err := second.State()
	must(t, err)
	if d := differState(got, want); d != "" {
		t.Errorf("%s %s, stopped after %d steps: %s", cfg.Optimizer, cfg.Precision, after, d)
	}
	delete(stopped.Weights, tr.net.Params[0].Name)
	if err := second.SetState(stopped); err == nil {
		t.Errorf("a state without %s was taken", tr.net.Params[0].Name)
	}
}

func differState(got, want engine.State) string {
	if got.Steps != want.Steps {
		return "another number of steps"
	}
	for name, v := range want.Averages {
		for i := range v {
			if got.Averages[name][i] != v[i] {
				return "the sums of " + name + " differ"
			}
		}
	}
	return differ(got.Weights, want.Weights) + differ(got.Slots[0], want.Slots[0]) + differ(got.Slots[1], want.Slots[1])
}

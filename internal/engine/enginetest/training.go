package enginetest

import (
	"fmt"
	"math"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

// follow trains on the engine and on ref and compares the losses of every step,
// and at the end how far every tensor has moved, in the L2 norm.
func (s *suite) follow(t *testing.T, tr trial, rule arch.Optimizer, rates []float32, tolerance float64) {
	t.Helper()
	rows := tr.rows(len(rates) * tr.net.Batch)
	p, q := tr.compile(t, s.engine, rule), tr.compile(t, ref.New(), rule)
	got, want := train(t, p, rows, rates...), train(t, q, rows, rates...)
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= tolerance*max(1, math.Abs(float64(want[i])))) {
			t.Errorf("step %d: loss %v, ref has %v", i, got[i], want[i])
		}
	}
	w, err := p.Weights()
	must(t, err)
	v, err := q.Weights()
	must(t, err)
	for _, param := range tr.net.Params {
		moved, apart := 0.0, 0.0
		for i, start := range tr.weights[param.Name] {
			moved += math.Pow(float64(v[param.Name][i]-start), 2)
			apart += math.Pow(float64(w[param.Name][i]-v[param.Name][i]), 2)
		}
		if apart, moved := math.Sqrt(apart), math.Sqrt(moved); !(apart <= 100*tolerance*(moved+1e-3)) {
			t.Errorf("%s moved by %.4g, ref's is %.3g away", param.Name, moved, apart)
		}
	}
}

// testOptimizers runs every rule for eight steps with a rate that changes.
func (s *suite) testOptimizers(t *testing.T) {
	for rule, rate := range map[arch.Optimizer]float32{arch.Adam: 0.01, arch.RMSprop: 0.01, arch.Adagrad: 0.05, arch.Adadelta: 1, arch.SGD: 0.1} {
		t.Run(string(rule), func(t *testing.T) {
			rates := make([]float32, 8)
			for i := range rates {
				rates[i] = rate * float32(1+i%3)
			}
			s.follow(t, autoencoder(t, smooth(), 3, graph.BCE, 21), rule, rates, s.Value)
		})
	}
}

// testCurve follows a training of 60 steps. Roundings grow along a training,
// hence the wider tolerance; and the loss must fall.
func (s *suite) testCurve(t *testing.T) {
	tr := autoencoder(t, normed(), 4, graph.BCE, 31)
	for i := range tr.source.Images { // images that can be learned
		tr.source.Images[i] = uint8(255 * (i / 2 % 2))
	}
	rates := make([]float32, 60)
	for i := range rates {
		rates[i] = 0.01
	}
	s.follow(t, tr, arch.Adam, rates, 50*s.Value)
	p := tr.compile(t, s.engine, arch.Adam)
	if l := train(t, p, tr.rows(60*4), rates...); !(l[59] < 0.8*l[0]) {
		t.Errorf("60 steps took the loss from %v to %v", l[0], l[59])
	}
}

// testAverages takes the statistics of single batches from programs of one step
// and works out what averages over several must be. At rate 0 no weight moves.
func (s *suite) testAverages(t *testing.T) {
	tr := autoencoder(t, normed(), 2, graph.MSE, 41)
	const steps = 5
	rows := tr.rows(steps * 2)
	before := tr.compile(t, s.engine, arch.Adam)
	w, err := before.Weights()
	must(t, err)
	sums := map[string][]float64{}
	for i := range steps {
		p := tr.compile(t, s.engine, arch.Adam)
		train(t, p, rows[2*i:2*i+2], 0)
		one, err := p.Weights()
		must(t, err)
		for _, q := range tr.net.Params {
			if sums[q.Name] == nil {
				sums[q.Name] = make([]float64, q.Size())
			}
			for k, v := range one[q.Name] {
				sums[q.Name][k] = 0.9*sums[q.Name][k] + 0.1*float64(v)
			}
		}
	}
	train(t, before, rows, make([]float32, steps)...)
	after, err := before.Weights()
	must(t, err)
	for _, q := range tr.net.Params {
		for k, v := range after[q.Name] {
			want := float64(tr.weights[q.Name][k])
			if w[q.Name][k] != tr.weights[q.Name][k] {
				t.Fatalf("%s[%d] is %v before any step, it was set to %v", q.Name, k, w[q.Name][k], want)
			}
			if !q.Trained() && !dropped(tr.net, q.Name) {
				want = sums[q.Name][k] / (1 - math.Pow(0.9, steps))
			} else if !q.Trained() {
				continue
			}
			if d := math.Abs(float64(v) - want); !(d <= s.Value*max(1, math.Abs(want))) {
				t.Errorf("%s[%d] is %v after %d steps, the batches' averages make %v", q.Name, k, v, steps, want)
			}
		}
	}
}

// dropped tells whether a statistic depends on the step: those behind normed's
// dropout do.
func dropped(net *graph.Net, name string) bool {
	return net.Train.Step != nil && name != "encoder.2.mean" && name != "encoder.2.variance"
}

// testRoundTrip: what is set is what comes out, a training starts from it anew
// each time, and copies are copies.
func (s *suite) testRoundTrip(t *testing.T) {
	tr := autoencoder(t, normed(), 3, graph.BCE, 51)
	for _, rule := range []arch.Optimizer{arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD} {
		p, rows := tr.compile(t, s.engine, rule), tr.rows(12)
		w, err := p.Weights()
		must(t, err)
		if fault := differ(w, tr.weights); fault != "" {
			t.Fatalf("%s: %s", rule, fault)
		}
		first := train(t, p, rows, 0.01, 0.01, 0.01, 0.01)
		trained, err := p.Weights()
		must(t, err)
		if differ(trained, tr.weights) == "" {
			t.Fatalf("%s: four steps changed nothing", rule)
		}
		must(t, p.SetWeights(tr.weights))
		for i, loss := range train(t, p, rows, 0.01, 0.01, 0.01, 0.01) {
			if loss != first[i] {
				t.Errorf("%s: step %d: loss %v, before SetWeights it was %v", rule, i, loss, first[i])
			}
		}
		again, err := p.Weights()
		must(t, err)
		if fault := differ(again, trained); fault != "" {
			t.Errorf("%s: trained anew from the same weights: %s", rule, fault)
		}
		must(t, p.SetWeights(trained))
		set, err := p.Weights()
		must(t, err)
		if fault := differ(set, trained); fault != "" {
			t.Errorf("%s: %s", rule, fault)
		}
	}
}

// differ names the first value in which two sets of weights differ, bit by bit.
func differ(got, want arch.Weights) string {
	for name := range want {
		for i := range want[name] {
			if i >= len(got[name]) || math.Float32bits(got[name][i]) != math.Float32bits(want[name][i]) {
				return fmt.Sprintf("%s[%d] differs: %d and %d values", name, i, len(got[name]), len(want[name]))
			}
		}
	}
	return ""
}

func (s *suite) testAllocations(t *testing.T) {
	if s.Allocates {
		t.Skip("this engine may allocate")
	}
	tr := autoencoder(t, normed(), 4, graph.BCE, 61)
	p, rows := tr.compile(t, s.engine, arch.Adam), tr.rows(8)
	rates, losses := []float32{0.01, 0.01}, make([]float32, 2)
	must(t, p.Train(rows, rates, losses))
	if n := testing.AllocsPerRun(20, func() { must(t, p.Train(rows, rates, losses)) }); n > 0 {
		t.Errorf("Train allocates %v times a call", n)
	}
}

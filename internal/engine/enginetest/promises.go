package enginetest

import (
	"fmt"
	"math"
	"sync"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/internal/metric"
)

// history is all that a training gives away.
type history struct {
	losses  []float32
	weights arch.Weights
	output  []float32
}

func (tr trial) history(t *testing.T, e engine.Engine, steps int) history {
	p, rows := tr.compile(t, e, arch.Adam), tr.rows(steps*tr.net.Batch)
	rates := make([]float32, steps)
	for i := range rates {
		rates[i] = 0.01
	}
	h := history{losses: train(t, p, rows, rates...), output: make([]float32, 7*tr.net.Output.Values())}
	var err error
	h.weights, err = p.Weights()
	must(t, err)
	must(t, p.Infer(tr.rows(7), nil, h.output))
	return h
}

func (h history) differ(other history) string {
	return differ(
		arch.Weights{"losses": h.losses, "output": h.output},
		arch.Weights{"losses": other.losses, "output": other.output},
	) + differ(h.weights, other.weights)
}

func (s *suite) testRepeatable(t *testing.T) {
	for i, a := range []arch.Arch{smooth(), normed()} {
		tr := autoencoder(t, a, 3, graph.BCE, uint64(71+i))
		if fault := tr.history(t, s.engine, 10).differ(tr.history(t, s.engine, 10)); fault != "" {
			t.Errorf("network %d, twice: %s", i, fault)
		}
	}
}

// testConcurrent trains four networks one after the other, then all at once.
func (s *suite) testConcurrent(t *testing.T) {
	var trials []trial
	for i, a := range []arch.Arch{smooth(), normed(), normed(), smooth()} {
		trials = append(trials, autoencoder(t, a, 2+i, graph.BCE, uint64(81+i)))
	}
	alone := make([]history, len(trials))
	for i, tr := range trials {
		alone[i] = tr.history(t, s.engine, 20)
	}
	t.Run("at once", func(t *testing.T) {
		var all sync.WaitGroup
		for i, tr := range trials {
			all.Add(1)
			go t.Run(fmt.Sprint(i), func(t *testing.T) {
				defer all.Done()
				if fault := tr.history(t, s.engine, 20).differ(alone[i]); fault != "" {
					t.Errorf("beside others: %s", fault)
				}
			})
		}
		all.Wait()
	})
}

// testInferenceIsFloat32 holds what a program says of a set of weights against
// what a float32 one says.
func (s *suite) testInferenceIsFloat32(t *testing.T) {
	tr := autoencoder(t, normed(), 4, graph.BCE, 97)
	rows := tr.rows(11)
	look := func(e engine.Engine) (output []float32, m engine.Metrics) {
		p := tr.compile(t, e, arch.Adam)
		output = make([]float32, len(rows)*tr.net.Output.Values())
		must(t, p.Infer(rows, nil, output))
		m, err := p.Evaluate(rows)
		must(t, err)
		return output, m
	}
	got, metrics := look(s.engine)
	want, wanted := look(s.engine.(coarse).Engine)
	if fault := differ(arch.Weights{"output": got}, arch.Weights{"output": want}); fault != "" || metrics != wanted {
		t.Errorf("%s; metrics %+v, in float32 %+v", fault, metrics, wanted)
	}
}

// testRowCounts infers any number of rows and compares with them one by one:
// what fills up a batch must not show.
func (s *suite) testRowCounts(t *testing.T) {
	tr := autoencoder(t, normed(), 4, graph.BCE, 91)
	p := tr.compile(t, s.engine, arch.Adam)
	z, y := tr.net.Latent.Values(), tr.net.Output.Values()
	all := tr.rows(11)
	latent, output := make([]float32, 11*z), make([]float32, 11*y)
	for i, r := range all {
		must(t, p.Infer([]int32{r}, latent[i*z:(i+1)*z], output[i*y:(i+1)*y]))
	}
	for n := range 12 {
		l, o := make([]float32, n*z), make([]float32, n*y)
		must(t, p.Infer(all[:n], l, o))
		s.close(t, fmt.Sprint(n, " rows: latent"), l, latent)
		s.close(t, fmt.Sprint(n, " rows: output"), o, output)
		clear(l)
		clear(o)
		must(t, p.Infer(all[:n], l, nil))
		must(t, p.Infer(all[:n], nil, o))
		s.close(t, fmt.Sprint(n, " rows: latent alone"), l, latent)
		s.close(t, fmt.Sprint(n, " rows: output alone"), o, output)
	}
}

func (s *suite) close(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range got {
		if d := math.Abs(float64(v - want[i])); !(d <= s.Value*max(1, math.Abs(float64(want[i])))) {
			t.Fatalf("%s[%d] is %v, want %v", what, i, v, want[i])
		}
	}
}

// testEvaluateIsInfer works the metrics out from what Infer gives. The outputs
// are sigmoids in float32: a logarithm of one near 0 or 1 is good to about
// 2⁻²⁴/p, and these are not near.
func (s *suite) testEvaluateIsInfer(t *testing.T) {
	for _, loss := range losses {
		tr := autoencoder(t, normed(), 4, loss, 95)
		p := tr.compile(t, s.engine, arch.Adam)
		for n := 1; n < 10; n++ {
			rows, size := tr.rows(n), tr.net.Output.Values()
			output, image := make([]float32, n*size), make([]float32, size)
			must(t, p.Infer(rows, nil, output))
			m, err := p.Evaluate(rows)
			must(t, err)
			var bce, mse, ssim float64
			for i, r := range rows {
				tr.source.Row(image, int(r))
				for k, x := range image {
					y, x := float64(output[i*size+k]), float64(x)
					bce -= (x*math.Log(y) + (1-x)*math.Log(1-y)) / float64(n*size)
					mse += (y - x) * (y - x) / float64(n*size)
				}
				ssim += metric.GaussianSSIM(image, output[i*size:(i+1)*size], tr.net.Output, nil) / float64(n)
			}
			want := engine.Metrics{BCE: bce, MSE: mse, Loss: tr.net.Blend.Of(bce, mse, ssim)}
			if d := max(math.Abs(m.BCE-bce), math.Abs(m.MSE-mse), math.Abs(m.Loss-want.Loss)); !(d <= 2*s.Value) {
				t.Errorf("%s, %d rows: %+v, the outputs make %+v", loss, n, m, want)
			}
		}
	}
	t.Run("classifier", s.testAccuracy)
}

func (s *suite) testAccuracy(t *testing.T) {
	tr := classifier(t, arch.Shape{C: 2, H: 2, W: 2}, arch.Stack{{Kind: arch.Dense, Filters: 3}}, 3, 4, 96)
	p := tr.compile(t, s.engine, arch.Adam)
	for n := 1; n < 10; n++ {
		rows, logits := tr.rows(n), make([]float32, n*3)
		must(t, p.Infer(rows, nil, logits))
		m, err := p.Evaluate(rows)
		must(t, err)
		var right, xent float64
		for i, r := range rows {
			z, label, sum := logits[3*i:3*i+3], tr.source.Labels[r], 0.0
			for _, v := range z {
				sum += math.Exp(float64(v))
			}
			xent += math.Log(sum) - float64(z[label])
			if z[label] == max(z[0], z[1], z[2]) {
				right++
			}
		}
		if right, xent := right/float64(n), xent/float64(n); m.Accuracy != right || !(math.Abs(m.Loss-xent) <= 2*s.Value) {
			t.Errorf("%d rows: %+v, the logits make accuracy %v and cross-entropy %v", n, m, right, xent)
		}
	}
}

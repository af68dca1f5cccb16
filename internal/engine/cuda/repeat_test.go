//go:build nvidia && linux && amd64

package cuda

import (
	"math"
	"slices"
	"sync"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

// TestRepeat trains the same network alone, again, and beside others: the bits
// must be equal. On the fake driver also with threads in other orders.
func TestRepeat(t *testing.T) {
	j := newJob(t, openEngine(t))
	for _, precision := range []engine.Precision{engine.Float32, engine.TF32, engine.BFloat16} {
		j.precision = precision
		want := j.must(t)
		same(t, string(precision)+", again", j.must(t), want)
		for _, order := range []string{"1", "2"} {
			t.Setenv("MONCAE_EMULATOR_SHUFFLE", order)
			same(t, string(precision)+", threads in order "+order, j.must(t), want)
		}
		var wg sync.WaitGroup
		results, errs := make([]result, 3), make([]error, 3)
		for i := range results {
			wg.Go(func() { results[i], errs[i] = j.run() })
		}
		wg.Wait()
		for i := range results {
			if errs[i] != nil {
				t.Fatal(errs[i])
			}
			same(t, string(precision)+", beside others", results[i], want)
		}
	}
}

// TestOptimizers trains a few steps with every optimiser and holds losses and
// metrics against the reference engine.
func TestOptimizers(t *testing.T) {
	e := openEngine(t)
	ours, theirs := newJob(t, e), newJob(t, ref.New())
	for _, o := range []arch.Optimizer{arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD} {
		ours.optimizer, theirs.optimizer = o, o
		got, want := ours.must(t), theirs.must(t)
		for i := range want.losses {
			// Float sums of at most 10⁴ terms, and Adam's steps by the sign of what is
			// zero but for rounding: the biases before batch norm.
			if d := math.Abs(float64(got.losses[i] - want.losses[i])); !(d <= 2e-5) {
				t.Errorf("%s: loss of step %d is %v, the reference's %v", o, i, got.losses[i], want.losses[i])
			}
		}
		if d := math.Abs(got.metrics.BCE - want.metrics.BCE); !(d <= 2e-5) {
			t.Errorf("%s: BCE after training %v, the reference's %v", o, got.metrics.BCE, want.metrics.BCE)
		}
	}
}

// TestHalf checks that training in a coarse precision follows the float32 curve, to
// a few of the bits that its products have: bfloat16's 8, TF32's 11.
func TestHalf(t *testing.T) {
	j := newJob(t, openEngine(t))
	want := j.must(t)
	for precision, within := range map[engine.Precision]float64{engine.BFloat16: 0.02, engine.TF32: 0.002} {
		j.precision = precision
		got := j.must(t)
		follows(t, "", precision, got, want, within)
		if precision == engine.BFloat16 && got.losses[0] == want.losses[0] {
			t.Errorf("in %s the first loss is float32's to the bit", precision)
		}
	}
}

// follows holds each loss in a coarse precision within a share of that in float32.
func follows(t *testing.T, name string, precision engine.Precision, got, want result, within float64) {
	t.Helper()
	for i := range want.losses {
		if d := math.Abs(float64(got.losses[i] - want.losses[i])); !(d <= within*float64(want.losses[i])) {
			t.Errorf("%sloss of step %d is %v in %s, %v in float32", name, i, got.losses[i], precision, want.losses[i])
		}
	}
}

// TestHalfEnds: networks whose last layer is no convolution, or a transposed one, so that
// its input is bfloat16 and the logits are not.
func TestHalfEnds(t *testing.T) {
	e := openEngine(t)
	conv := func(filters, stride int) arch.Layer {
		return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: 3, Stride: stride}
	}
	for name, last := range map[string]arch.Layer{
		"batch norm": {Kind: arch.BatchNorm}, "upsample": {Kind: arch.Upsample, To: &[2]int{6, 8}}, "transposed": {Kind: arch.Transpose, Filters: 2, Kernel: 5, To: &[2]int{6, 8}},
		"elu": {Kind: arch.Activate, Activation: arch.ELU}, "silu": {Kind: arch.Activate, Activation: arch.SiLU},
	} {
		a := arch.Arch{Input: arch.Shape{C: 2, H: 6, W: 8}, Encoder: arch.Stack{conv(12, 1), conv(9, 1)}, Decoder: arch.Stack{conv(2, 1), last}}
		if last.To != nil {
			a.Encoder[1].Stride = 2
		}
		net, err := graph.Autoencoder(a, 4, graph.BCE, 1)
		if err != nil {
			t.Fatal(err)
		}
		j := jobOf(t, e, a.Input, net)
		want := j.must(t)
		j.precision = engine.BFloat16
		follows(t, name+": ", j.precision, j.must(t), want, 0.02)
	}
}

// TestReportedInFloat32: what is measured of equal weights is the same to the bit,
// whatever a program trains in.
func TestReportedInFloat32(t *testing.T) {
	j := newJob(t, openEngine(t))
	rows := []int32{0, 1, 2, 3, 4, 5, 6}
	measure := func(precision engine.Precision) (m engine.Metrics, output []float32) {
		j.precision = precision
		p, err := j.compile()
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}()
		output = make([]float32, len(rows)*j.net.Output.Values())
		if m, err = p.Evaluate(rows); err != nil {
			t.Fatal(err)
		}
		if err := p.Infer(rows, nil, output); err != nil {
			t.Fatal(err)
		}
		return m, output
	}
	want, pixels := measure(engine.Float32)
	for _, precision := range []engine.Precision{engine.TF32, engine.BFloat16} {
		if got, output := measure(precision); got != want || !slices.Equal(output, pixels) {
			t.Errorf("trained in %s, %+v is measured, in float32 %+v", precision, got, want)
		}
	}
}

// narrow have few channels on a side of each convolution: those of one pixel, of images
// wider than a tile, of more channels than a tile has, with a stride.
var narrow = []arch.Arch{
	{
		Input:   arch.Shape{C: 3, H: 5, W: 37},
		Encoder: arch.Stack{{Kind: arch.Conv, Filters: 19, Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.Conv, Filters: 1, Kernel: 5, Stride: 1}},
		Decoder: arch.Stack{
			{Kind: arch.Conv, Filters: 7, Kernel: 1, Stride: 1}, {Kind: arch.Activate, Activation: arch.Sigmoid},
			{Kind: arch.Conv, Filters: 20, Kernel: 3, Stride: 1}, {Kind: arch.Conv, Filters: 3, Kernel: 7, Stride: 1},
		},
	},
	{
		Input:   arch.Shape{C: 1, H: 12, W: 9},
		Encoder: arch.Stack{{Kind: arch.Conv, Filters: 70, Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: arch.ELU}, {Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 2}},
		Decoder: arch.Stack{
			{Kind: arch.Conv, Filters: 2, Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: arch.LeakyReLU}, {Kind: arch.Transpose, Filters: 5, Kernel: 5, To: &[2]int{12, 9}},
			{Kind: arch.Conv, Filters: 33, Kernel: 5, Stride: 1}, {Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1},
		},
	},
}

// TestNarrow holds networks of narrow convolutions against the reference.
func TestNarrow(t *testing.T) {
	for _, a := range narrow {
		trainsAlike(t, a)
	}
}

// products is a network of matrix products: convolutions of so many filters in the
// encoder, and in the decoder, whose second one has a kernel of its own.
func products(encoder [3]int, decoder [2]int, kernel int) arch.Arch {
	return arch.Arch{
		Input: arch.Shape{C: 4, H: 9, W: 7},
		Encoder: arch.Stack{
			{Kind: arch.Conv, Filters: encoder[0], Kernel: 3, Stride: 1}, {Kind: arch.Conv, Filters: encoder[1], Kernel: 1, Stride: 1},
			{Kind: arch.Conv, Filters: encoder[2], Kernel: 3, Stride: 2},
		},
		Decoder: arch.Stack{
			{Kind: arch.Conv, Filters: decoder[0], Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.Conv, Filters: decoder[1], Kernel: kernel, Stride: 1},
			{Kind: arch.Transpose, Filters: decoder[0], Kernel: 3, To: &[2]int{9, 7}}, {Kind: arch.Conv, Filters: 4, Kernel: 3, Stride: 1},
		},
	}
}

// fours has matrix products whose channels are loaded by fours, by tiles of 64 channels and
// of 32, and little enough memory for the sanitizers (emulator/record.cpp).
var fours = products([3]int{36, 68, 20}, [2]int{40, 36}, 3)

// TestHalfFours: such a network in bfloat16 follows the float32 curve, as in TestHalf.
func TestHalfFours(t *testing.T) {
	net, err := graph.Autoencoder(fours, 9, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	j := jobOf(t, openEngine(t), fours.Input, net)
	want := j.must(t)
	j.precision = engine.BFloat16
	follows(t, "", j.precision, j.must(t), want, 0.02)
}

// TestWide holds networks of more than one tile against the reference, and those whose
// channels are loaded by fours.
func TestWide(t *testing.T) {
	trainsAlike(t, wide)
	trainsAlike(t, fours)
	trainsAlike(t, products([3]int{100, 100, 68}, [2]int{102, 20}, 5))
}

// TestFused holds what one launch does on the way back against the reference: the gradients
// of pooled activations and norms, of norms behind each activation, of biases, by lanes of
// four channels and of one.
func TestFused(t *testing.T) {
	conv := func(filters int) arch.Layer {
		return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: 3, Stride: 1}
	}
	norm, pool := arch.Layer{Kind: arch.BatchNorm}, arch.Layer{Kind: arch.MaxPool}
	for _, filters := range []int{12, 9} {
		for _, f := range []arch.Activation{arch.ReLU, arch.SiLU, arch.ELU} {
			activate := arch.Layer{Kind: arch.Activate, Activation: f}
			trainsAlike(t, arch.Arch{
				Input: arch.Shape{C: 1, H: 7, W: 10},
				Encoder: arch.Stack{
					conv(filters), activate, pool, conv(filters), activate, norm, pool, conv(filters), norm, activate, pool, conv(2),
				},
				Decoder: arch.Stack{
					conv(filters), norm, {Kind: arch.Upsample, To: &[2]int{2, 3}}, {Kind: arch.Upsample, To: &[2]int{4, 5}}, activate,
					{Kind: arch.Upsample, To: &[2]int{7, 10}}, conv(1),
				},
			})
		}
	}
}

// trainsAlike holds a few steps and the weights after them against the reference.
func trainsAlike(t *testing.T, a arch.Arch) {
	t.Helper()
	var results [2]result
	for i, e := range []engine.Engine{openEngine(t), ref.New()} {
		j := newJob(t, e)
		d, err := e.Load(testImages(a.Input))
		if err != nil {
			t.Fatal(err)
		}
		if j.net, err = graph.Autoencoder(a, 9, graph.MSE, 1); err != nil {
			t.Fatal(err)
		}
		j.data, j.optimizer = d, arch.SGD
		results[i] = j.must(t)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	for i, want := range results[1].losses {
		if d := math.Abs(float64(results[0].losses[i] - want)); !(d <= 1e-5) {
			t.Errorf("loss of step %d is %v, the reference's %v", i, results[0].losses[i], want)
		}
	}
	for name, want := range results[1].weights {
		for i, v := range want {
			if d := math.Abs(float64(results[0].weights[name][i] - v)); !(d <= 1e-5) {
				t.Fatalf("%s[%d] is %v, the reference's %v", name, i, results[0].weights[name][i], v)
			}
		}
	}
}

// TestChunks trains more steps in one call than the device gets at once, and
// the same in small calls. On the fake driver with a fault, late, in between.
func TestChunks(t *testing.T) {
	j := newJob(t, openEngine(t))
	const steps = 2*chunk + 5
	rows, rates := make([]int32, steps*j.net.Batch), make([]float32, steps)
	for i := range rows {
		rows[i] = int32(i * 7 % testRows)
	}
	for i := range rates {
		rates[i] = 1e-3
	}
	run := func(most int) result {
		t.Helper()
		p, err := j.compile()
		if err != nil {
			t.Fatal(err)
		}
		r := result{losses: make([]float32, steps)}
		for at := 0; at < steps; at += most {
			end := min(at+most, steps)
			if err := p.Train(rows[at*j.net.Batch:end*j.net.Batch], rates[at:end], r.losses[at:end]); err != nil {
				t.Fatal(err)
			}
		}
		if r.weights, err = p.Weights(); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := run(steps)
	same(t, "in small calls", run(30), want)
	t.Setenv("MONCAE_FAKE_KERNEL", "adam:100")
	same(t, "after a fault", run(30), want)
}

//go:build nvidia && linux && amd64

package cuda

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// fakeDriver is set by scripts/test-cuda.sh where the driver is the fake one.
const fakeDriver = "MONCAE_TEST_FAKE_CUDA"

// open skips where there is no device; the fake one must be there where it is said to.
func open(t *testing.T) engine.Engine {
	t.Helper()
	e, err := Open()
	if err != nil && os.Getenv(fakeDriver) != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return e
}

func openEngine(t *testing.T) engine.Engine {
	t.Helper()
	e := open(t)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// openFake opens the engine on the fake driver, whose faults the environment
// commands.
func openFake(t *testing.T) engine.Engine {
	t.Helper()
	if os.Getenv(fakeDriver) == "" {
		t.Skipf("needs the fake driver: make test-cuda")
	}
	return openEngine(t)
}

// apart runs the calling test again in a process of its own with env added, for
// what a process finds out once. It gives true in the process that should do
// the work, and checks that it passed.
func apart(t *testing.T, env ...string) bool {
	t.Helper()
	if os.Getenv(fakeDriver) == "" {
		t.Skipf("needs the fake driver: make test-cuda")
	}
	const child = "MONCAE_TEST_APART"
	if os.Getenv(child) == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
	cmd.Env = append(os.Environ(), append(env, child+"="+t.Name())...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("in a process with %v: %v\n%s", env, err, out)
	}
	return false
}

// everyLayer uses every layer, odd and even sides, a stride, a residual.
var everyLayer = arch.Arch{
	Input: arch.Shape{C: 2, H: 9, W: 8},
	Encoder: arch.Stack{
		{Kind: arch.Conv, Filters: 12, Kernel: 3, Stride: 1}, {Kind: arch.BatchNorm}, {Kind: arch.Activate, Activation: arch.SiLU},
		{Kind: arch.MaxPool}, {Kind: arch.Dropout, Rate: 0.2},
		{Kind: arch.Conv, Filters: 12, Kernel: 5, Stride: 1}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.Add, From: 5},
		{Kind: arch.Conv, Filters: 6, Kernel: 3, Stride: 2},
	},
	Decoder: arch.Stack{
		{Kind: arch.Activate, Activation: arch.ELU},
		{Kind: arch.Transpose, Filters: 10, Kernel: 3, To: &[2]int{5, 4}}, {Kind: arch.Activate, Activation: arch.LeakyReLU}, {Kind: arch.BatchNorm},
		{Kind: arch.Upsample, To: &[2]int{9, 8}}, {Kind: arch.Conv, Filters: 2, Kernel: 3, Stride: 1},
	},
}

const testRows = 40

func testImages(s arch.Shape) engine.Source {
	r := rand.New(rand.NewPCG(1, 2))
	images := make([]uint8, testRows*s.Values())
	for i := range images {
		images[i] = uint8(r.IntN(256))
	}
	return engine.Source{Shape: s, Images: images}
}

func randomWeights(params []arch.Param) arch.Weights {
	r := rand.New(rand.NewPCG(3, 4))
	w := arch.Weights{}
	for _, p := range params {
		v := make([]float32, p.Size())
		for i := range v {
			switch p.Role {
			case arch.Weight:
				v[i] = float32(r.NormFloat64() * p.Spread)
			case arch.Gamma, arch.Variance:
				v[i] = float32(1 + 0.2*r.Float64())
			default:
				v[i] = float32(0.1 * r.NormFloat64())
			}
		}
		w[p.Name] = v
	}
	return w
}

func testNet(t *testing.T, batch int) *graph.Net {
	t.Helper()
	net, err := graph.Autoencoder(everyLayer, batch, graph.BCE, 77)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// job is a training that tests run under different circumstances.
type job struct {
	engine    engine.Engine
	data      engine.Data
	net       *graph.Net
	optimizer arch.Optimizer
	precision engine.Precision
}

func newJob(t *testing.T, e engine.Engine) job {
	t.Helper()
	return jobOf(t, e, everyLayer.Input, testNet(t, 4))
}

// jobOf is a training of a net on images of its shape.
func jobOf(t *testing.T, e engine.Engine, images arch.Shape, net *graph.Net) job {
	t.Helper()
	d, err := e.Load(testImages(images))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return job{engine: e, data: d, net: net, optimizer: arch.Adam}
}

// result is what must be equal from run to run.
type result struct {
	losses  []float32
	weights arch.Weights
	metrics engine.Metrics
}

func (j job) compile() (engine.Program, error) {
	return j.engine.Compile(j.net, j.data, engine.Config{Optimizer: j.optimizer, Precision: j.precision, Weights: randomWeights(j.net.Params)})
}

// steps of a job's training, in two calls.
const steps = 6

func (j job) run() (result, error) {
	p, err := j.compile()
	if err != nil {
		return result{}, err
	}
	r, err := j.train(p)
	if closed := p.Close(); err == nil {
		err = closed
	}
	return r, err
}

func (j job) train(p engine.Program) (r result, err error) {
	draw := rand.New(rand.NewPCG(5, 6))
	r.losses = make([]float32, steps)
	rows, rates := make([]int32, steps*j.net.Batch), make([]float32, steps)
	for i := range rows {
		rows[i] = int32(draw.IntN(testRows))
	}
	for i := range rates {
		rates[i] = float32(i+1) * 1e-3
	}
	half := steps / 2
	if err := p.Train(rows[:half*j.net.Batch], rates[:half], r.losses[:half]); err != nil {
		return r, err
	}
	if err := p.Train(rows[half*j.net.Batch:], rates[half:], r.losses[half:]); err != nil {
		return r, err
	}
	if r.metrics, err = p.Evaluate(rows[:7]); err != nil {
		return r, err
	}
	r.weights, err = p.Weights()
	return r, err
}

func (j job) must(t *testing.T) result {
	t.Helper()
	r, err := j.run()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// same compares results bit by bit.
func same(t *testing.T, what string, got, want result) {
	t.Helper()
	for i := range want.losses {
		if got.losses[i] != want.losses[i] {
			t.Errorf("%s: loss of step %d is %v, was %v", what, i, got.losses[i], want.losses[i])
		}
	}
	if got.metrics != want.metrics {
		t.Errorf("%s: metrics %+v, were %+v", what, got.metrics, want.metrics)
	}
	for name, v := range want.weights {
		for i := range v {
			if got.weights[name][i] != v[i] {
				t.Fatalf("%s: %s[%d] is %v, was %v", what, name, i, got.weights[name][i], v[i])
			}
		}
	}
}

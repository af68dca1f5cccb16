package plan

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine/cuda/kernels"
	"moncae/internal/graph"
)

// network uses every layer that the plan knows, with odd sides and a stride.
func network(f arch.Activation) arch.Arch {
	return arch.Arch{
		Input: arch.Shape{C: 3, H: 11, W: 10},
		Encoder: arch.Stack{
			{Kind: arch.Conv, Filters: 12, Kernel: 3, Stride: 1}, {Kind: arch.BatchNorm}, {Kind: arch.Activate, Activation: f},
			{Kind: arch.MaxPool}, {Kind: arch.Dropout, Rate: 0.2},
			{Kind: arch.Conv, Filters: 12, Kernel: 5, Stride: 1}, {Kind: arch.Activate, Activation: f}, {Kind: arch.Add, From: 5},
			{Kind: arch.Conv, Filters: 6, Kernel: 3, Stride: 2},
		},
		Decoder: arch.Stack{
			{Kind: arch.Activate, Activation: f}, {Kind: arch.Upsample, To: &[2]int{6, 5}},
			{Kind: arch.Conv, Filters: 10, Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: f}, {Kind: arch.BatchNorm},
			{Kind: arch.Transpose, Filters: 9, Kernel: 5, To: &[2]int{11, 10}}, {Kind: arch.Conv, Filters: 3, Kernel: 3, Stride: 1},
		},
	}
}

type everything struct{}

func (everything) Choose(Problem) (int64, bool) { return 1000, true }

// plans are the plans that the tests look at, by name.
func plans(t *testing.T) map[string]*Plan {
	t.Helper()
	made := map[string]*Plan{}
	for _, f := range []arch.Activation{arch.ReLU, arch.Sigmoid, arch.LeakyReLU, arch.ELU, arch.SiLU} {
		for name, o := range map[string]Options{
			"own":   {Optimizer: arch.Adam},
			"half":  {Optimizer: arch.SGD, Half: true},
			"cudnn": {Optimizer: arch.Adadelta, CuDNN: everything{}, TF32: true},
			"both":  {Optimizer: arch.RMSprop, CuDNN: everything{}, Half: true},
		} {
			net, err := graph.Autoencoder(network(f), 4, graph.MSE, 1)
			if err != nil {
				t.Fatal(err)
			}
			p, err := New(net, o)
			if err != nil {
				t.Fatal(err)
			}
			made[string(f)+" "+name] = p
		}
	}
	head := arch.Stack{{Kind: arch.Dense, Filters: 16}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.Dense, Filters: 10}}
	net, err := graph.Classifier(arch.Shape{C: 4, H: 2, W: 3}, head, 10, 8, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(net, Options{Optimizer: arch.Adagrad, Floats: true})
	if err != nil {
		t.Fatal(err)
	}
	made["classifier"] = p
	return made
}

// signatures are the parameters' PTX types of every kernel.
func signatures() map[string][]string {
	entry := regexp.MustCompile(`(?s)\.visible \.entry (\w+)\((.*?)\n\)`)
	param := regexp.MustCompile(`\.param \.(\w+)`)
	all := map[string][]string{}
	for _, code := range kernels.PTX() {
		for _, e := range entry.FindAllStringSubmatch(code, -1) {
			var types []string
			for _, p := range param.FindAllStringSubmatch(e[2], -1) {
				types = append(types, p[1])
			}
			all[e[1]] = types
		}
	}
	return all
}

func ptxType(arg any) string {
	switch arg.(type) {
	case Ref, int64, uint64:
		return "u64"
	case int32, uint32:
		return "u32"
	case float32:
		return "f32"
	case float64:
		return "f64"
	}
	return "unknown"
}

// TestArguments holds the launches against the kernels' own parameter lists.
func TestArguments(t *testing.T) {
	kernels := signatures()
	for name, p := range plans(t) {
		for _, s := range append(append(append([]Step{}, p.Train...), p.Evaluate...), p.Infer...) {
			launch, ok := s.(Launch)
			if !ok {
				continue
			}
			var types []string
			for _, a := range launch.Args {
				types = append(types, ptxType(a))
			}
			if want := kernels[launch.Kernel]; strings.Join(types, " ") != strings.Join(want, " ") {
				t.Errorf("%s: %s gets %v, takes %v", name, launch.Kernel, types, want)
			}
		}
	}
}

// TestArena checks that no two buffers that live at once overlap, and that all
// are within the arena.
func TestArena(t *testing.T) {
	for name, p := range plans(t) {
		for sequence, steps := range map[string][]Step{"train": p.Train, "evaluate": p.Evaluate, "infer": p.Infer} {
			lives := map[int][2]int{}
			for i, s := range steps {
				for _, r := range Refs(s) {
					if r.In != Arena {
						continue
					}
					life, ok := lives[r.Buffer]
					if !ok {
						life[0] = i
					}
					life[1] = i
					lives[r.Buffer] = life
					if end := p.Offset(r) - r.Offset + p.Size(r); end > p.Bytes {
						t.Errorf("%s %s: buffer %d ends at %d of %d bytes", name, sequence, r.Buffer, end, p.Bytes)
					}
				}
			}
			for a, x := range lives {
				for b, y := range lives {
					apart := p.offsets[a]+p.sizes[a] <= p.offsets[b] || p.offsets[b]+p.sizes[b] <= p.offsets[a]
					if a < b && x[0] <= y[1] && y[0] <= x[1] && !apart {
						t.Errorf("%s %s: buffers %d and %d live at once and overlap", name, sequence, a, b)
					}
				}
			}
		}
	}
}

// TestFusion counts the launches of a plain block: what belongs together is one.
func TestFusion(t *testing.T) {
	a := arch.Arch{
		Input: arch.Shape{C: 1, H: 8, W: 8},
		Encoder: arch.Stack{{Kind: arch.Conv, Filters: 16, Kernel: 3, Stride: 1}, {Kind: arch.Activate, Activation: arch.ReLU},
			{Kind: arch.Conv, Filters: 16, Kernel: 3, Stride: 1}, {Kind: arch.BatchNorm}, {Kind: arch.Activate, Activation: arch.SiLU}},
		Decoder: arch.Stack{{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}},
	}
	net, err := graph.Autoencoder(a, 2, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(net, Options{Optimizer: arch.Adam})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range p.Train {
		names = append(names, strings.TrimSuffix(s.(Launch).Kernel, "_f32"))
	}
	const want = "gather_bytes conv_spread1_f32 conv_spread4_f32 norm_sums norm_statistics normalize conv_few1_f32 loss_pixels conv_weight"
	if got := strings.Join(names, " "); !strings.HasPrefix(got, want) {
		t.Errorf("launches:\n%s\nwant first:\n%s", got, want)
	}
	if count := strings.Count(strings.Join(names, " "), "activate"); count != 1 { // the gradient of the first relu
		t.Errorf("%d launches for activations alone, want 1: %v", count, names)
	}
}

// TestFusedGradients counts the launches of the way back through activations, norms and
// pools, with cuDNN, and of a step's end: the gradient of a bias comes with that of the
// layer's output, and every sum waits for the same launch.
func TestFusedGradients(t *testing.T) {
	conv, norm, pool := arch.Layer{Kind: arch.Conv, Filters: 16, Kernel: 3, Stride: 1}, arch.Layer{Kind: arch.BatchNorm}, arch.Layer{Kind: arch.MaxPool}
	activate := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}
	net, err := graph.Autoencoder(arch.Arch{
		Input:   arch.Shape{C: 16, H: 8, W: 8},
		Encoder: arch.Stack{conv, activate, pool, conv, activate, norm, pool},
		Decoder: arch.Stack{conv, norm, {Kind: arch.Upsample, To: &[2]int{4, 4}}, {Kind: arch.Upsample, To: &[2]int{8, 8}}, conv},
	}, 2, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(net, Options{Optimizer: arch.Adam, Half: true, CuDNN: everything{}})
	if err != nil {
		t.Fatal(err)
	}
	const want = "gather_bytes forward bias_activate max_pool forward norm_sums norm_statistics normalize max_pool forward norm_sums norm_statistics normalize upsample upsample " +
		"conv_spread4_bf16_f32 loss_pixels conv_weight_few4_bf16_f32 sum_rows_f32 conv_spread4_f32 upsample_grad upsample_grad " +
		"norm_grad_sums norm_grad_sums norm_grad weight-gradient input-gradient norm_grad_sums norm_grad_sums norm_grad weight-gradient input-gradient " +
		"activate_grad weight-gradient sum_step adam"
	if got := names(p); got != want {
		t.Errorf("launches:\n%s\nwant:\n%s", got, want)
	}
	if sums := p.Sums(); len(sums) != 8 { // of 4 weights and their biases; gamma's and beta's are needed at once
		t.Errorf("%d sums, want 8: %+v", len(sums), sums)
	}
}

// names are those of a training step's kernels, and the kinds of cuDNN's convolutions.
func names(p *Plan) string {
	var all []string
	for _, s := range p.Train {
		switch s := s.(type) {
		case Launch:
			all = append(all, strings.TrimSuffix(s.Kernel, "_bf16"))
		case Conv:
			all = append(all, strings.ReplaceAll(s.Kind.String(), " ", "-"))
		}
	}
	return strings.Join(all, " ")
}

// TestTransposed: a transposed convolution is the input gradient of one from its output to
// its input, with what comes after a convolution, and its gradients are the other two.
func TestTransposed(t *testing.T) {
	a := arch.Arch{
		Input:   arch.Shape{C: 16, H: 7, W: 6},
		Encoder: arch.Stack{{Kind: arch.MaxPool}, {Kind: arch.MaxPool}},
		Decoder: arch.Stack{
			{Kind: arch.Transpose, Filters: 40, Kernel: 3, To: &[2]int{4, 3}}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.BatchNorm},
			{Kind: arch.Transpose, Filters: 20, Kernel: 5, To: &[2]int{7, 6}}, {Kind: arch.Conv, Filters: 16, Kernel: 1, Stride: 1},
		},
	}
	net, err := graph.Autoencoder(a, 2, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	const cudnn = "gather_bytes max_pool max_pool input-gradient norm_sums norm_statistics normalize input-gradient bias_activate " +
		"conv_spread4_bf16_f32 loss_pixels conv_weight_few4_bf16_f32 sum_rows_f32 conv_spread4_f32 weight-gradient sum_rows forward " +
		"norm_grad_sums norm_grad_sums norm_grad weight-gradient sum_step sgd"
	for _, half := range []bool{true, false} {
		o := Options{Optimizer: arch.SGD, Half: half}
		if half {
			o.CuDNN = everything{}
		}
		p, err := New(net, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(p); half && got != cudnn {
			t.Errorf("launches:\n%s\nwant:\n%s", got, cudnn)
		}
		var macs int64
		for _, c := range p.Costs() {
			macs += c.MACs
		}
		if want := 2 * (3*a.FLOPs() - a.Decoder[:1].FLOPs(a.Latent())); macs != want {
			t.Errorf("%d multiply-adds, want %d", macs, want)
		}
	}
}

// TestProduct: no tile of a matrix product is half empty, unless tiles are many.
func TestProduct(t *testing.T) {
	for out, want := range map[int]int{9: 32, 32: 32, 33: 64, 64: 64, 65: 32, 96: 32, 97: 64, 160: 32, 192: 64, 193: 64, 321: 64} {
		kernel, channels := product(out)
		if channels != want || !strings.HasSuffix(kernel, "x"+strconv.Itoa(want)) {
			t.Errorf("%d channels: %s has %d a tile, want %d", out, kernel, channels, want)
		}
	}
}

// TestPack checks that Unpack undoes Pack, and the device's order of weights.
func TestPack(t *testing.T) {
	all := plans(t)
	// head.0.weight is [16, 4·2·3]: on the device, the four channels of a pixel are neighbours;
	// decoder.5.weight [10, 9, 5, 5], of a transposed convolution to nine.
	testPack(t, all["classifier"], "head.0.weight", 4, 6)
	testPack(t, all["relu own"], "decoder.5.weight", 9, 25)
}

func testPack(t *testing.T, p *Plan, weight string, channels, pixels int) {
	t.Helper()
	w := arch.Weights{}
	next := float32(0)
	for _, param := range p.Net.Params {
		v := make([]float32, param.Size())
		for i := range v {
			next++
			v[i] = next
		}
		w[param.Name] = v
	}
	flat := p.Layout.Pack(w)
	for name, v := range p.Layout.Unpack(flat) {
		for i := range v {
			if v[i] != w[name][i] {
				t.Fatalf("%s[%d] came back as %v, was %v", name, i, v[i], w[name][i])
			}
		}
	}
	at := p.Layout.at(Params, weight).Offset / 4
	for c := range channels {
		if got, want := flat[at+int64(c)], w[weight][c*pixels]; got != want {
			t.Errorf("%s, channel %d of the first pixel: %v, want %v", weight, c, got, want)
		}
	}
}

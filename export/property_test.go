package export

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine/enginetest"
	"moncae/internal/engine/onednn"
	"moncae/internal/engine/ref"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
	"moncae/search/genome"
)

// The capstone: random genomes with random weights give the same latents and
// images in the engines ref and onednn, in ONNX Runtime and, where it can, in
// onnx-go, whatever the sides, channels and batch.
func TestRandomNetworksAgreeEverywhere(t *testing.T) {
	needORT(t)
	cases := 200
	if testing.Short() {
		cases = 40
	}
	seen := counts{}
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		space := genome.Space{Name: []string{genome.Paper, genome.Extended}[seed%2], MaxBlocks: 1 + r.IntN(4), MaxFilters: []int{4, 8, 16}[r.IntN(3)]}
		in := arch.Shape{C: []int{1, 3}[r.IntN(2)], H: 3 + r.IntN(14), W: 3 + r.IntN(14)}
		if seed%5 == 0 {
			in.W = in.H
		}
		r = rand.New(rand.NewPCG(uint64(seed), 2))
		agree(t, fmt.Sprint("seed ", seed), decoded(space, in, 3e7, r), r, seed%8 == 0, seen)
	}
	t.Logf("operators, runtimes and shapes seen: %v", seen)
	for _, op := range []string{"Conv", "Relu", "Sigmoid", "LeakyRelu", "Elu", "Mul", "Add", "MaxPool", "Resize", "Slice"} {
		if seen[op] == 0 {
			t.Errorf("no network has %s", op)
		}
	}
	for _, shape := range []string{"even", "odd", "mixed", "square", "not square", "1 channel", "3 channels"} {
		if seen[shape] < cases/20 || seen["onnx-go, "+shape] == 0 {
			t.Errorf("images that are %s: %d of %d cases, %d of them in onnx-go", shape, seen[shape], cases, seen["onnx-go, "+shape])
		}
	}
	if seen["onnx-go"] < cases/4 {
		t.Errorf("onnx-go checked %d of %d encoders", seen["onnx-go"], cases)
	}
}

func TestFullSizeNetworksAgreeEverywhere(t *testing.T) {
	needORT(t)
	shapes := []arch.Shape{{C: 1, H: 28, W: 28}, {C: 3, H: 32, W: 32}, {C: 3, H: 33, W: 20}, {C: 1, H: 28, W: 28}, {C: 3, H: 32, W: 32}}
	seen := counts{}
	for seed, in := range shapes {
		r := rand.New(rand.NewPCG(uint64(1000+seed), 2))
		a := decoded(genome.Space{Name: genome.Extended, MaxBlocks: 5, MaxFilters: 64}, in, 1e8, r)
		agree(t, fmt.Sprint("seed ", 1000+seed), a, r, true, seen)
	}
	t.Logf("operators, runtimes and shapes seen: %v", seen)
}

// The networks that engines are tried with have layers that no space's have, in other places.
func TestNetworksOfEnginesAgreeEverywhere(t *testing.T) {
	needORT(t)
	cases := 100
	if testing.Short() {
		cases = 30
	}
	seen := counts{}
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		agree(t, fmt.Sprint("seed ", seed), enginetest.Random(r), r, seed%8 == 0, seen)
	}
	t.Logf("operators, runtimes and shapes seen: %v", seen)
	for _, op := range []string{"ConvTranspose", "BatchNormalization", "Gemm", "Slice"} {
		if seen[op] == 0 {
			t.Errorf("no network has %s", op)
		}
	}
}

// counts says how often something was seen.
type counts map[string]int

// decoded draws a space's network of at most so many multiply-adds: larger ones are too
// much for the slow kernels.
func decoded(space genome.Space, in arch.Shape, flops int64, r *rand.Rand) arch.Arch {
	for {
		if a, _, err := space.Decode(space.Random(r), in, genome.Limits{FLOPs: flops}); err == nil {
			return a
		}
	}
}

// agree holds every engine and runtime against the reference, at the batch sizes 1
// and 3; where large is set, the fast ones against each other at 256.
func agree(t *testing.T, name string, a arch.Arch, r *rand.Rand, large bool, seen counts) {
	t.Helper()
	w := randomWeights(a.Params(), r)
	nets, err := onnxnet.Build(a, w, onnx.Float)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	what := fmt.Sprintf("%s: %v", name, a)
	for _, n := range []int{1, 3} {
		pixels := randomPixels(a, n, r)
		s := infer(t, ref.New(), a, w, pixels)
		if cpu, err := onednn.New(); err == nil {
			seen["onednn"]++
			sameAs(t, s, infer(t, cpu, a, w, pixels), n, what)
		}
		sameInORT(t, nets, s, n, what)
		if n > 1 {
			seen.add(a, certified(t, nets, a, s, what))
		}
	}
	if cpu, err := onednn.New(); err == nil && large {
		seen["batches of 256"]++
		sameInORT(t, nets, infer(t, cpu, a, w, randomPixels(a, 256, r)), 256, what)
	}
	for _, m := range []*onnx.Model{nets.Encoder, nets.Decoder, nets.Autoencoder} {
		if _, err := onnx.Parse(m.Bytes(), "model"); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for _, n := range m.Nodes() {
			seen[n.Op]++
		}
	}
}

// sameInORT runs n images as one batch.
func sameInORT(t *testing.T, nets onnxnet.Networks, s run.Forward, n int, what string) {
	t.Helper()
	for _, m := range []struct {
		model    *onnx.Model
		in, want []float32
	}{{nets.Encoder, s.Images, s.Latents}, {nets.Decoder, s.Latents, s.Outputs}, {nets.Autoencoder, s.Images, s.Outputs}} {
		got, err := runORT(m.model, m.in, n, n, ort.Options{Device: "cpu", Threads: 1})
		if err == nil {
			_, err = compare(got, m.want, n, Tolerance(onnx.Float))
		}
		if err != nil {
			t.Errorf("%s: %s in ONNX Runtime, batch %d: %v", what, m.model.Outputs()[0].Name, n, err)
		}
	}
}

// certified tells whether onnx-go could be asked; whatever it stops at must have
// been known before.
func certified(t *testing.T, nets onnxnet.Networks, a arch.Arch, s run.Forward, what string) bool {
	t.Helper()
	checks, _, err := certify(nets, a, onnx.Float, s, ort.Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Errorf("%s: %v\n%v\n%v", what, err, a.Encoder, a.Decoder)
		return false
	}
	inGo := checks[len(checks)-1]
	if lacks := onnxGoLacks(nets.Encoder); inGo.Skipped != lacks {
		t.Errorf("%s: %s\n%v", what, inGo.Skipped, a.Encoder)
	}
	return inGo.Skipped == ""
}

// add counts a case by its image's shape, and once more where onnx-go ran it.
func (c counts) add(a arch.Arch, inGo bool) {
	in := a.Input
	sides := []string{"even", "mixed", "odd"}[in.H%2+in.W%2]
	square := map[bool]string{true: "square", false: "not square"}[in.H == in.W]
	channels := fmt.Sprintf("%d channels", in.C)
	if in.C == 1 {
		channels = "1 channel"
	}
	for _, shape := range []string{sides, square, channels} {
		c[shape]++
		if inGo {
			c["onnx-go, "+shape]++
		}
	}
	if inGo {
		c["onnx-go"]++
	}
}

// Every kind of layer in every place that a random genome doesn't put it.
func TestOddStacksAgree(t *testing.T) {
	needORT(t)
	dense := func(n int) arch.Layer { return arch.Layer{Kind: arch.Dense, Filters: n} }
	add := func(from int) arch.Layer { return arch.Layer{Kind: arch.Add, From: from} }
	norm, pool, drop := arch.Layer{Kind: arch.BatchNorm}, arch.Layer{Kind: arch.MaxPool}, arch.Layer{Kind: arch.Dropout, Rate: 0.5}
	cases := map[string]arch.Arch{
		"norm after activation, after pooling, first": {Input: arch.Shape{C: 2, H: 6, W: 5}, Encoder: arch.Stack{norm, conv(3, 3, 1), act(arch.ReLU), norm, pool, norm},
			Decoder: arch.Stack{norm, up(6, 5), conv(2, 3, 1)}},
		"value between convolution and norm is read": {Input: arch.Shape{C: 2, H: 4, W: 4}, Encoder: arch.Stack{conv(2, 3, 1), norm, add(1), drop, add(0)},
			Decoder: arch.Stack{conv(2, 1, 1), drop, norm, add(2)}},
		"dense latent": {Input: arch.Shape{C: 1, H: 5, W: 4}, Encoder: arch.Stack{conv(3, 3, 2), dense(7), act(arch.ELU), drop, dense(6), add(5), norm, act(arch.SiLU)},
			Decoder: arch.Stack{conv(4, 1, 1), up(2, 1), up(3, 2), up(5, 4), conv(1, 3, 1)}},
		"one pixel":                   {Input: arch.Shape{C: 1, H: 1, W: 1}, Encoder: arch.Stack{pool, conv(2, 7, 2), pool}, Decoder: arch.Stack{up(1, 1), conv(1, 5, 1)}},
		"dense all the way":           {Input: arch.Shape{C: 3, H: 1, W: 1}, Encoder: arch.Stack{dense(2), norm, act(arch.LeakyReLU), add(1), conv(2, 1, 1), add(2)}, Decoder: arch.Stack{dense(3)}},
		"dense before cut upsampling": {Input: arch.Shape{C: 1, H: 3, W: 1}, Encoder: arch.Stack{dense(4)}, Decoder: arch.Stack{dense(2), up(2, 1), up(3, 1), conv(1, 3, 1)}},
		"nothing but dropout":         {Input: arch.Shape{C: 1, H: 3, W: 3}, Encoder: arch.Stack{drop}, Decoder: arch.Stack{drop, conv(1, 1, 1), drop}},
		"strides over odd and even": {Input: arch.Shape{C: 1, H: 9, W: 6}, Encoder: arch.Stack{conv(2, 1, 2), conv(2, 5, 2), conv(3, 7, 2)},
			Decoder: arch.Stack{up(3, 2), up(5, 3), act(arch.Sigmoid), up(9, 6), conv(1, 1, 1)}},
		"transposed over odd and even": {Input: arch.Shape{C: 2, H: 9, W: 6}, Encoder: arch.Stack{conv(2, 3, 2), conv(5, 3, 2), conv(3, 3, 2)},
			Decoder: arch.Stack{back(4, 3, 3, 2), norm, act(arch.ELU), back(3, 7, 5, 3), drop, norm, back(6, 1, 9, 6), back(4, 5, 17, 12), norm, conv(2, 3, 2)}},
		"value between transposed and norm is read": {Input: arch.Shape{C: 3, H: 6, W: 5}, Encoder: arch.Stack{conv(2, 3, 2), back(4, 5, 6, 5), norm, pool},
			Decoder: arch.Stack{back(3, 5, 6, 5), norm, add(1)}},
		"dense before transposed": {Input: arch.Shape{C: 1, H: 2, W: 1}, Encoder: arch.Stack{dense(4)}, Decoder: arch.Stack{dense(3), norm, back(1, 3, 2, 1)}},
	}
	for name, a := range cases {
		for _, dtype := range []onnx.Type{onnx.Float, onnx.Float16} {
			t.Run(fmt.Sprintf("%s/%v", name, dtype), func(t *testing.T) {
				if err := a.Validate(); err != nil {
					t.Fatal(err)
				}
				r := rand.New(rand.NewPCG(3, 4))
				w := randomWeights(a.Params(), r)
				pixels := randomPixels(a, 3, r)
				s := infer(t, ref.New(), a, w, pixels)
				// No space draws a network that begins with a batch norm, and onednn compiles none.
				if cpu, err := onednn.New(); err == nil && a.Encoder[0].Kind != arch.BatchNorm {
					sameAs(t, s, infer(t, cpu, a, w, pixels), 3, name)
				}
				nets, err := onnxnet.Build(a, w, dtype)
				if err != nil {
					t.Fatal(err)
				}
				checks, _, err := certify(nets, a, dtype, s, ort.Options{Device: "cpu", Threads: 1})
				if err != nil {
					t.Fatal(err)
				}
				if c := checks[3]; c.Skipped != onnxGoLacks(nets.Encoder) {
					t.Error(c.Skipped)
				}
			})
		}
	}
}

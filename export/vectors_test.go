package export

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/sbinet/npyio"

	"moncae/internal/arch"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/run"
	"moncae/search/genome"
)

// TestWriteVectors exports networks to the folder that MONCAE_VECTORS names and
// writes beside each what the pure-Go kernels make of some images: images.npy,
// latents.npy and outputs.npy. The Python tests call it.
func TestWriteVectors(t *testing.T) {
	out := os.Getenv("MONCAE_VECTORS")
	if out == "" {
		t.Skip("MONCAE_VECTORS names no folder: the Python tests set it")
	}
	needORT(t)
	for name, a := range vectorNetworks(t) {
		for _, dtype := range []string{"float32", "float16"} {
			r := rand.New(rand.NewPCG(9, 10))
			c := candidate{
				Trained: run.Trained{Arch: a, Weights: randomWeights(a.Params(), r), Candidate: &run.Candidate{
					ID: name + "-" + dtype, Recipe: arch.Recipe{Optimizer: arch.Adam, LearningRate: 1e-3, Schedule: arch.Constant},
				}},
				Run: "vectors", DataName: "noise",
			}
			s := referenceSample(t, a, c.Weights, 5, r)
			c.sample = func() (run.Forward, error) { return s, nil }
			if _, err := exportAll(context.Background(), []candidate{c}, Options{Out: out, DType: dtype}); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(out, c.ID)
			writeNPY(t, filepath.Join(dir, "images.npy"), s.Images)
			writeNPY(t, filepath.Join(dir, "latents.npy"), s.Latents)
			writeNPY(t, filepath.Join(dir, "outputs.npy"), s.Outputs)
			if dtype == "float32" {
				writeHead(t, dir, c, s)
			}
		}
	}
}

// vectorNetworks have every operator that is written, even, odd and mixed sides.
func vectorNetworks(t *testing.T) map[string]arch.Arch {
	t.Helper()
	norm, pool := arch.Layer{Kind: arch.BatchNorm}, arch.Layer{Kind: arch.MaxPool}
	nets := map[string]arch.Arch{
		"digits": {
			Input:   arch.Shape{C: 1, H: 28, W: 28},
			Encoder: arch.Stack{conv(8, 3, 1), norm, act(arch.ReLU), pool, conv(4, 5, 1), act(arch.Sigmoid), pool, conv(4, 3, 1), act(arch.ReLU), pool},
			Decoder: arch.Stack{conv(4, 3, 1), act(arch.ReLU), up(7, 7), conv(4, 5, 1), norm, act(arch.ReLU), up(14, 14), conv(8, 3, 1), act(arch.ReLU), up(28, 28), conv(1, 3, 1)},
		},
		"mixed": {
			Input: arch.Shape{C: 3, H: 17, W: 12},
			Encoder: arch.Stack{
				conv(6, 7, 1), act(arch.SiLU), {Kind: arch.Dropout, Rate: 0.2}, pool, conv(6, 3, 1), {Kind: arch.Add, From: 4}, norm, act(arch.ELU),
				conv(4, 3, 2), act(arch.LeakyReLU), norm, conv(2, 1, 1),
			},
			Decoder: arch.Stack{conv(4, 3, 1), act(arch.LeakyReLU), up(9, 6), conv(6, 3, 1), act(arch.SiLU), up(17, 12), conv(3, 3, 1)},
		},
		"dense": {
			Input:   arch.Shape{C: 1, H: 8, W: 4},
			Encoder: arch.Stack{conv(4, 3, 2), act(arch.ReLU), {Kind: arch.Dense, Filters: 6}},
			Decoder: arch.Stack{conv(4, 1, 1), up(2, 1), up(4, 2), act(arch.ReLU), up(8, 4), conv(1, 3, 1)},
		},
	}
	nets["transposed"] = arch.Arch{
		Input:   arch.Shape{C: 3, H: 17, W: 12},
		Encoder: arch.Stack{conv(6, 3, 2), act(arch.SiLU), conv(8, 5, 2), norm},
		Decoder: arch.Stack{back(7, 3, 9, 6), norm, act(arch.ReLU), back(5, 5, 17, 12), act(arch.LeakyReLU), norm, conv(3, 3, 1)},
	}
	space := genome.Space{Name: genome.Extended, MaxBlocks: 4, MaxFilters: 16}
	drawn, _, err := space.Decode(space.Random(rand.New(rand.NewPCG(11, 12))), arch.Shape{C: 3, H: 32, W: 32}, genome.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	nets["drawn"] = drawn
	return nets
}

// writeHead adds head.onnx, pipeline.onnx and the logits of the reference.
func writeHead(t *testing.T, dir string, c candidate, s run.Forward) {
	t.Helper()
	in := c.Arch.Latent()
	r := rand.New(rand.NewPCG(13, 14))
	stack := arch.Stack{{Kind: arch.Dense, Filters: 8}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.Dense, Filters: 10}}
	h := onnxnet.Head{In: in, Stack: stack, Weights: randomWeights(stack.Params("head", in), r)}
	for range in.Values() {
		h.Mean, h.Scale = append(h.Mean, r.Float32()), append(h.Scale, 0.5+r.Float32())
	}
	head, err := h.Model()
	if err != nil {
		t.Fatal(err)
	}
	pipeline, err := onnxnet.Pipeline(readModel(t, dir, "encoder"), head)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*onnx.Model{"head": head, "pipeline": pipeline} {
		if err := os.WriteFile(filepath.Join(dir, name+".onnx"), m.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	writeNPY(t, filepath.Join(dir, "logits.npy"), headReference(t, h, s.Latents, len(s.Images)/c.Arch.Input.Values()))
}

// writeNPY writes a flat array; the Python side knows the shapes.
func writeNPY(t *testing.T, path string, v []float32) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := npyio.Write(f, v); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func conv(f, k, s int) arch.Layer {
	return arch.Layer{Kind: arch.Conv, Filters: f, Kernel: k, Stride: s}
}

// back is a transposed convolution.
func back(f, k, h, w int) arch.Layer {
	return arch.Layer{Kind: arch.Transpose, Filters: f, Kernel: k, To: &[2]int{h, w}}
}

func act(f arch.Activation) arch.Layer { return arch.Layer{Kind: arch.Activate, Activation: f} }
func up(h, w int) arch.Layer           { return arch.Layer{Kind: arch.Upsample, To: &[2]int{h, w}} }

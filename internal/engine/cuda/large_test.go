//go:build nvidia && linux && amd64

package cuda

import (
	"fmt"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// reducing has a convolution for cuDNN, and is quick to emulate on large images.
func reducing(in arch.Shape) arch.Arch {
	half := func(n int) int { return (n + 1) / 2 }
	h, w := half(in.H), half(in.W)
	return arch.Arch{
		Input: in,
		Encoder: arch.Stack{
			{Kind: arch.Conv, Filters: 12, Kernel: 1, Stride: 2}, {Kind: arch.MaxPool}, {Kind: arch.MaxPool}, {Kind: arch.MaxPool},
			{Kind: arch.Conv, Filters: 12, Kernel: 1, Stride: 1}, {Kind: arch.Conv, Filters: 1, Kernel: 1, Stride: 1},
		},
		Decoder: arch.Stack{
			{Kind: arch.Upsample, To: &[2]int{half(half(h)), half(half(w))}}, {Kind: arch.Upsample, To: &[2]int{half(h), half(w)}},
			{Kind: arch.Upsample, To: &[2]int{h, w}}, {Kind: arch.Upsample, To: &[2]int{in.H, in.W}}, {Kind: arch.Conv, Filters: in.C, Kernel: 1, Stride: 1},
		},
	}
}

// TestLargeImages: outputs of one batch and of many fit the staging memory. The
// fake driver crashes on what goes beyond a program's block.
func TestLargeImages(t *testing.T) {
	e := openFake(t)
	seen := map[int]bool{}
	for _, c := range []struct{ side, channels, batch int }{{9, 1, 3}, {43, 3, 256}, {64, 3, 180}, {96, 1, 100}} {
		t.Run(fmt.Sprintf("%d×%d×%d by %d", c.side, c.side, c.channels, c.batch), func(t *testing.T) {
			net, err := graph.Autoencoder(reducing(arch.Shape{C: c.channels, H: c.side, W: c.side}), c.batch, graph.BCE, 1)
			if err != nil {
				t.Fatal(err)
			}
			d, err := e.Load(testImages(net.Input))
			if err != nil {
				t.Fatal(err)
			}
			p, err := e.Compile(net, d, engine.Config{Optimizer: arch.SGD, Weights: randomWeights(net.Params)})
			if err != nil {
				t.Fatal(err)
			}
			if made := p.(*program); !made.plan.Library {
				t.Error("no step needs cuDNN, so nothing was warmed up")
			} else {
				seen[min(made.regions.infers, 3)] = true
			}
			latent, output := make([]float32, testRows*net.Latent.Values()), make([]float32, testRows*net.Output.Values())
			rows := make([]int32, testRows)
			for i := range rows {
				rows[i] = int32(i)
			}
			if err := p.Infer(rows, latent, output); err != nil {
				t.Error(err)
			}
			for i, v := range output {
				if !(v > 0 && v < 1) {
					t.Fatalf("output %d is %v", i, v)
				}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	if len(seen) != 3 {
		t.Errorf("batches in the staging memory, 3 for more: %v; the sweep should see 1, 2 and more", seen)
	}
}

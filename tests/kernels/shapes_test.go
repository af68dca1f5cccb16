//go:build nvidia && linux && amd64

package kernels_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine/cuda/plan"
	"moncae/internal/graph"
	"moncae/tests/kernels/ptx"
)

// TestShapes runs the convolutions of random networks, whose tiles are cut in every way:
// no access is beyond a block's shared memory or the program's memory, or not aligned,
// which a device would answer with a fault, and no barrier is met by a part of a block.
func TestShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	of := parsed(t)
	ran := map[string]bool{}
	for n := range 8 {
		one := func(some ...int) int { return some[r.IntN(len(some))] }
		conv := func(stride int) arch.Layer {
			return arch.Layer{Kind: arch.Conv, Filters: one(1, 2, 7, 9, 20, 33, 36), Kernel: one(1, 3, 5, 11), Stride: stride}
		}
		input := arch.Shape{C: one(1, 3, 5), H: 3 + r.IntN(30), W: 3 + r.IntN(40)}
		last := conv(1)
		last.Filters = input.C
		up := arch.Layer{Kind: arch.Upsample}
		if n%4 < 2 {
			up = conv(0)
			up.Kind = arch.Transpose
		}
		up.To = &[2]int{input.H, input.W}
		a := arch.Arch{
			Input:   input,
			Encoder: arch.Stack{conv(1), conv(2), conv(1)},
			Decoder: arch.Stack{conv(1), up, last},
		}
		net, err := graph.Autoencoder(a, 1+r.IntN(3), graph.BCE, 1)
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.New(net, plan.Options{Optimizer: arch.SGD, Half: n%2 == 1})
		if err != nil {
			t.Fatal(err)
		}
		m, at := memory(p)
		for _, s := range p.Train {
			l := s.(plan.Launch)
			if !strings.HasPrefix(l.Kernel, "conv_") {
				continue
			}
			ran[l.Kernel] = true
			if l.Args[8].(int32)%4 == 0 && l.Args[11].(int32)%4 == 0 { // channels
				ran[strings.Replace(l.Kernel, "gemm_", "gemm_fours_", 1)] = true
			}
			last := l.Grid[0]*l.Grid[1]*l.Grid[2] - 1
			grid := ptx.Grid{Blocks: l.Grid, Threads: [3]int{l.Block, 1, 1}}
			if _, err := of[l.Kernel].Run(m, grid, arguments(p, at, l), []int{0, last}); err != nil {
				t.Errorf("%v %v: %v", l.Kernel, shape(l), err)
			}
		}
	}
	for _, kernel := range []string{
		"few1", "few4", "few8", "spread1", "spread4", "gemm_64x64", "gemm_64x32",
		"gemm_fours_64x64", "gemm_fours_64x32", "weight_few1", "weight_few4", "weight_spread",
	} {
		if !ran["conv_"+kernel+"_f32_f32"] && !ran["conv_"+kernel+"_bf16_bf16"] {
			t.Errorf("%s ran in no network", kernel)
		}
	}
}

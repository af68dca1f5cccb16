//go:build onednn && cgo

package onednn

import (
	"math"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// In batches of sixteen, narrow convolutions have images abreast; in batches of five,
// they are oneDNN's and few_to_many. What comes out is the same to the bit: oneDNN's
// convolutions for AVX-512 sum in the same order, those for AVX2 in others.
func TestImagesAbreastGiveTheSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T, isa string) {
		for name, a := range narrow {
			t.Run(isa+" "+name, func(t *testing.T) {
				one, other := inferred(t, a, 5), inferred(t, a, 16)
				if isa != "avx512" {
					if d := distance(one, other, 1e-3); d > 1e-6 {
						t.Errorf("off by %.1e", d)
					}
					return
				}
				for i := range one {
					if math.Float32bits(one[i]) != math.Float32bits(other[i]) {
						t.Fatalf("value %d is %v, without images abreast %v", i, other[i], one[i])
					}
				}
			})
		}
	})
}

// narrow are networks whose convolutions write fewer channels than a vector holds.
var narrow = map[string]arch.Arch{
	"every activation": {
		Input:   arch.Shape{C: 1, H: 13, W: 11},
		Encoder: arch.Stack{conv(4, 7, 1), act(arch.ELU), pool, conv(8, 5, 1), norm, act(arch.Sigmoid), conv(3, 7, 1), act(arch.LeakyReLU)},
		Decoder: arch.Stack{conv(8, 3, 1), act(arch.SiLU), conv(12, 5, 1), act(arch.ReLU), up(13, 11), conv(4, 7, 1), conv(2, 3, 2), act(arch.ELU), up(13, 11), conv(1, 3, 1)},
	},
	"sides smaller than the padding": {
		Input:   arch.Shape{C: 1, H: 12, W: 10},
		Encoder: arch.Stack{conv(6, 7, 2), act(arch.ELU), conv(8, 7, 2), act(arch.ELU), conv(4, 5, 2), act(arch.ELU), conv(4, 7, 2), act(arch.ELU), conv(4, 5, 1), act(arch.ELU)},
		Decoder: arch.Stack{up(2, 2), conv(8, 7, 1), act(arch.ELU), conv(4, 7, 1), up(3, 3), conv(8, 5, 1), up(6, 5), conv(4, 7, 2), act(arch.SiLU), up(6, 5), conv(4, 3, 1), up(12, 10), conv(1, 3, 1)},
	},
	"strides, to a pixel": {
		Input:   arch.Shape{C: 3, H: 15, W: 16},
		Encoder: arch.Stack{conv(8, 7, 2), act(arch.SiLU), conv(7, 5, 2), norm, act(arch.ReLU), conv(8, 3, 2), conv(4, 5, 2), act(arch.Sigmoid)},
		Decoder: arch.Stack{conv(32, 7, 1), up(2, 2), conv(8, 7, 1), up(4, 4), conv(5, 3, 1), up(8, 8), conv(6, 5, 1), act(arch.LeakyReLU), up(15, 16), conv(3, 3, 1)},
	},
}

// inferred is latents and reconstructions of 21 rows, in batches.
func inferred(t *testing.T, a arch.Arch, batch int) []float32 {
	t.Helper()
	net, err := graph.Autoencoder(a, batch, graph.BCE, 77)
	if err != nil {
		t.Fatal(err)
	}
	p := compile(t, net, images(a.Input, 11, 3), engine.Config{Optimizer: arch.Adam, Weights: weights(net.Params, 5)})
	rows := someRows(21)
	latents := len(rows) * net.Latent.Values()
	values := make([]float32, latents+len(rows)*net.Output.Values())
	if err := p.Infer(rows, values[:latents], values[latents:]); err != nil {
		t.Fatal(err)
	}
	return values
}

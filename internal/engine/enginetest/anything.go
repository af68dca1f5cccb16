package enginetest

import (
	"math/rand/v2"

	"moncae/internal/arch"
)

// anything draws an autoencoder that no search makes but a file may describe: its layers
// stand in any order, a pool before all convolutions, a norm after a norm, an activation
// at the end, or there is no convolution at all.
func anything(r *rand.Rand) arch.Arch {
	for {
		in := arch.Shape{C: 1 + r.IntN(4), H: 1 + r.IntN(9), W: 1 + r.IntN(9)}
		b := &sampler{Rand: r, shape: in}
		a := arch.Arch{Input: in}
		b.several(5, b.any)
		a.Encoder, b.stack = b.stack, nil
		b.several(4, b.any)
		b.restore(in)
		b.several(3, b.keep)
		a.Decoder = b.stack
		if a.Validate() == nil && a.ParamCount() > 0 && a.FLOPs() <= most {
			return a
		}
	}
}

func (b *sampler) several(below int, add func()) {
	for range b.IntN(below) {
		add()
	}
}

// restore brings the value to a shape, where upsamplings can.
func (b *sampler) restore(in arch.Shape) {
	if b.shape.C != in.C {
		b.add(conv(in.C, 3, 1))
	}
	for b.shape != in {
		h, w := in.H, in.W
		for h > 2*b.shape.H || w > 2*b.shape.W {
			h, w = (h+1)/2, (w+1)/2
		}
		if (h+1)/2 != b.shape.H || (w+1)/2 != b.shape.W {
			return
		}
		b.add(upsample(h, w))
	}
}

// any adds a layer of any kind.
func (b *sampler) any() {
	switch b.IntN(8) {
	case 0:
		b.add(maxPool)
	case 1:
		h, w := 2*b.shape.H-b.IntN(2), 2*b.shape.W-b.IntN(2)
		if b.chance(50) {
			b.add(transposed(1+b.IntN(9), 1+2*b.IntN(4), h, w))
			return
		}
		b.add(upsample(h, w))
	case 2:
		b.add(conv(1+b.IntN(9), 1+2*b.IntN(4), 1+b.IntN(2)))
	case 3:
		if b.shape.Values() < 200 && b.chance(20) {
			b.add(arch.Layer{Kind: arch.Dense, Filters: 1 + b.IntN(6)})
		}
	default:
		b.keep()
	}
}

// keep adds layers that keep the shape.
func (b *sampler) keep() {
	switch b.IntN(5) {
	case 0:
		b.add(batchNorm)
	case 1, 2:
		b.add(activation(activations[b.IntN(len(activations))]))
	case 3:
		b.add(arch.Layer{Kind: arch.Dropout, Rate: float64(b.IntN(6)) / 10})
	default:
		b.add(conv(b.shape.C, 3, 1))
		b.add(arch.Layer{Kind: arch.Add, From: len(b.stack) - b.IntN(2)})
	}
}

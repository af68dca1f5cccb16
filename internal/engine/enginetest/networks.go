package enginetest

import (
	"math/rand/v2"

	"moncae/internal/arch"
)

// most are the multiply-adds of an image that a random network may cost.
const most = 5_000_000

// Random draws an autoencoder of one to four blocks: every kind of layer, odd,
// even and unequal sides, one to four channels.
func Random(r *rand.Rand) arch.Arch {
	for {
		b := &sampler{Rand: r}
		in := arch.Shape{C: 1 + r.IntN(4), H: 1 + r.IntN(13), W: 1 + r.IntN(13)}
		a := arch.Arch{Input: in}
		a.Encoder, a.Decoder = b.draw(in)
		if err := a.Validate(); err != nil {
			panic("enginetest: the sampler's network is not valid: " + err.Error())
		}
		if a.FLOPs() <= most {
			return a
		}
	}
}

// sampler draws layers; shape is that of the value last made.
type sampler struct {
	*rand.Rand
	shape arch.Shape
	stack arch.Stack
}

func (b *sampler) chance(percent int) bool { return b.IntN(100) < percent }

func (b *sampler) add(l arch.Layer) {
	out, err := l.Output(b.shape)
	if err != nil {
		panic("enginetest: " + err.Error())
	}
	b.stack, b.shape = append(b.stack, l), out
}

func (b *sampler) draw(in arch.Shape) (encoder, decoder arch.Stack) {
	b.shape = in
	var sizes [][2]int
	for range 1 + b.IntN(4) {
		before := [2]int{b.shape.H, b.shape.W}
		b.block()
		if now := [2]int{b.shape.H, b.shape.W}; now != before {
			sizes = append(sizes, before)
		}
	}
	if b.shape.H == 1 && b.shape.W == 1 && b.chance(50) {
		b.add(arch.Layer{Kind: arch.Dense, Filters: 1 + b.IntN(6)})
	}
	encoder, b.stack = b.stack, nil
	for i := len(sizes) - 1; i >= 0; i-- {
		if b.chance(40) {
			b.add(transposed(1+b.IntN(9), 1+2*b.IntN(4), sizes[i][0], sizes[i][1]))
			b.companions()
			continue
		}
		b.convolve(1)
		b.add(arch.Layer{Kind: arch.Upsample, To: &sizes[i]})
	}
	b.add(arch.Layer{Kind: arch.Conv, Filters: in.C, Kernel: 3, Stride: 1})
	return encoder, b.stack
}

// block is a convolution with its companions, then perhaps a halving.
func (b *sampler) block() {
	stride := 1
	if b.chance(20) {
		stride = 2
	}
	b.convolve(stride)
	if b.chance(30) {
		b.residual()
	}
	if stride == 1 && b.chance(60) {
		b.add(arch.Layer{Kind: arch.MaxPool})
	}
}

func (b *sampler) convolve(stride int) {
	b.add(arch.Layer{Kind: arch.Conv, Filters: 1 + b.IntN(9), Kernel: 1 + 2*b.IntN(4), Stride: stride})
	b.companions()
}

// companions are what follows a convolution.
func (b *sampler) companions() {
	first := b.chance(30)
	if first {
		b.add(arch.Layer{Kind: arch.BatchNorm})
	}
	if f := b.IntN(6); f < len(activations) {
		b.add(arch.Layer{Kind: arch.Activate, Activation: activations[f]})
	}
	if !first && b.chance(40) {
		b.add(arch.Layer{Kind: arch.BatchNorm})
	}
	if b.chance(30) {
		b.add(arch.Layer{Kind: arch.Dropout, Rate: float64(b.IntN(6)) / 10})
	}
}

// residual adds a convolution of the value and the value itself.
func (b *sampler) residual() {
	from := len(b.stack)
	b.add(arch.Layer{Kind: arch.Conv, Filters: b.shape.C, Kernel: 3, Stride: 1})
	b.add(arch.Layer{Kind: arch.Add, From: from})
}

var activations = []arch.Activation{arch.ReLU, arch.Sigmoid, arch.LeakyReLU, arch.ELU, arch.SiLU}

func conv(filters, kernel, stride int) arch.Layer {
	return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: kernel, Stride: stride}
}

func transposed(filters, kernel, h, w int) arch.Layer {
	return arch.Layer{Kind: arch.Transpose, Filters: filters, Kernel: kernel, To: &[2]int{h, w}}
}

func activation(f arch.Activation) arch.Layer { return arch.Layer{Kind: arch.Activate, Activation: f} }

var (
	batchNorm = arch.Layer{Kind: arch.BatchNorm}
	maxPool   = arch.Layer{Kind: arch.MaxPool}
)

func upsample(h, w int) arch.Layer { return arch.Layer{Kind: arch.Upsample, To: &[2]int{h, w}} }

// smooth is a small network with nothing in it that a difference trips over,
// and no bias before a batch norm, whose gradient would be noise alone.
func smooth() arch.Arch {
	in := arch.Shape{C: 2, H: 7, W: 6}
	return arch.Arch{
		Input:   in,
		Encoder: arch.Stack{conv(4, 3, 1), activation(arch.SiLU), conv(3, 3, 2), activation(arch.Sigmoid)},
		Decoder: arch.Stack{conv(4, 3, 1), activation(arch.ELU), upsample(7, 6), conv(2, 3, 1)},
	}
}

// normed is smooth with batch norms after the activations and dropout.
func normed() arch.Arch {
	a := smooth()
	a.Encoder = arch.Stack{
		conv(4, 3, 1), activation(arch.SiLU), batchNorm, {Kind: arch.Dropout, Rate: 0.2},
		conv(3, 3, 2), activation(arch.ReLU), batchNorm,
	}
	return a
}

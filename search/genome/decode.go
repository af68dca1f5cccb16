package genome

import (
	"fmt"
	"math"
	"strconv"

	"moncae/internal/arch"
)

// Limits refuse a network before anything is allocated; 0 is no limit.
type Limits struct {
	FLOPs int64 // multiply-adds of one image, encoder and decoder
}

// Decode makes the network that g describes for images of shape in, and how to
// train it. An error tells why there is no such network, or which limit it breaks.
//
// An encoder block is convolution, batch norm, skip, activation, dropout,
// pooling. The decoder mirrors the blocks from the last to the first:
// convolution, batch norm, skip, activation, dropout, and upsampling to the
// exact size that the block had before it pooled. A 3×3 convolution to the
// image's channels ends it, as logits. A skip adds a convolution's input to its
// output where their shapes agree, and is inert elsewhere; so is a pooling where
// a side is under 3 (2 in the extended space). A convolution that moves by 2 has a kernel of
// 3 at least, and in the extended space, where the latent has four channels and more, a
// transposed convolution of that kernel for its mirror, in place of a convolution and an
// upsampling.
//
// In the paper's space, filters never grow along the encoder (the smaller
// neighbour counts), and a block's mirror has its filters. In the extended space
// the latent has filters and activation of its own, the last block's filters
// serve its mirror, and a mirror is at least as wide as the block before it in
// the encoder, so that a narrow latent doesn't make the decoder narrow.
func (s Space) Decode(g Genome, in arch.Shape, limits Limits) (arch.Arch, arch.Recipe, error) {
	a := arch.Arch{Input: in}
	recipe := arch.Recipe{Optimizer: g.Optimizer, LearningRate: s.learningRate(g.Optimizer, g.Rate), Schedule: g.Schedule}
	if err := recipe.Validate(); err != nil {
		return a, recipe, err
	}
	steps := s.plan(g, in)
	for _, st := range steps {
		a.Encoder = append(a.Encoder, st.encoder(len(a.Encoder))...)
	}
	channels := steps[len(steps)-1].encFilters
	for i := len(steps) - 1; i >= 0; i-- {
		a.Decoder = append(a.Decoder, steps[i].decoder(len(a.Decoder), channels)...)
		channels = steps[i].decFilters
	}
	a.Decoder = append(a.Decoder, arch.Layer{Kind: arch.Conv, Filters: in.C, Kernel: 3, Stride: 1})
	if err := a.Validate(); err != nil {
		return a, recipe, err
	}
	return a, recipe, limits.check(a)
}

func (l Limits) check(a arch.Arch) error {
	if n := a.FLOPs(); l.FLOPs > 0 && n > l.FLOPs {
		return fmt.Errorf("%d multiply-adds an image; the limit is %d", n, l.FLOPs)
	}
	return nil
}

// step is an active block with what its neighbours decide.
type step struct {
	Block
	in                     arch.Shape // of the block
	encFilters, decFilters int
	latent                 *Latent // of the last block in the extended space
	transpose              bool    // its mirror is a transposed convolution
}

// pooled is the least side that a pooling halves.
func (s Space) pooled() int {
	if s.ToPixel {
		return 2
	}
	return 3
}

func (s Space) plan(g Genome, in arch.Shape) []step {
	var steps []step
	for _, i := range g.Active() {
		steps = append(steps, step{Block: g.Blocks[i]})
	}
	before := 0 // filters of the block before
	for i := range steps {
		st := &steps[i]
		st.in = in
		if min(in.H, in.W) < s.pooled() {
			st.Pool = NoPool
		}
		if s.Name == Paper {
			if i > 0 {
				st.Filters = min(st.Filters, before)
			}
			st.encFilters, st.decFilters = st.Filters, st.Filters
		} else {
			st.encFilters, st.decFilters = st.Filters, max(st.Filters, before)
			if i == len(steps)-1 {
				st.latent, st.encFilters = &g.Latent, g.Latent.Filters
			}
		}
		st.transpose = s.Transpose && st.Pool == Strided && g.Latent.Filters >= transposedFrom
		before = st.Filters
		in.C = st.encFilters
		if st.halves() {
			in.H, in.W = (in.H+1)/2, (in.W+1)/2
		}
	}
	return steps
}

// encoder is the block's part of an encoder that has `from` values before it.
func (st step) encoder(from int) arch.Stack {
	c := arch.Layer{Kind: arch.Conv, Filters: st.encFilters, Kernel: st.Kernel, Stride: 1}
	if st.Pool == Strided {
		c.Kernel, c.Stride = st.seeing(), 2
	}
	f := st.Activation
	if st.latent != nil {
		f = st.latent.Activation
	}
	s := st.body(c, from, c.Stride == 1 && c.Filters == st.in.C, f)
	if st.Pool == MaxPool {
		s = append(s, arch.Layer{Kind: arch.MaxPool})
	}
	return s
}

// seeing is a kernel that sees every pixel when it moves by 2.
func (st step) seeing() int { return max(st.Kernel, 3) }

// decoder is the block's mirror behind `from` values of so many channels.
func (st step) decoder(from, channels int) arch.Stack {
	to := &[2]int{st.in.H, st.in.W}
	if st.transpose {
		return st.body(arch.Layer{Kind: arch.Transpose, Filters: st.decFilters, Kernel: st.seeing(), To: to}, from, false, st.Activation)
	}
	c := arch.Layer{Kind: arch.Conv, Filters: st.decFilters, Kernel: st.Kernel, Stride: 1}
	s := st.body(c, from, c.Filters == channels, st.Activation)
	if st.halves() {
		s = append(s, arch.Layer{Kind: arch.Upsample, To: to})
	}
	return s
}

// body is a convolution with what follows it; keeps tells whether its output has its
// input's shape.
func (st step) body(convolution arch.Layer, from int, keeps bool, f arch.Activation) arch.Stack {
	s := arch.Stack{convolution}
	if st.BatchNorm {
		s = append(s, arch.Layer{Kind: arch.BatchNorm})
	}
	if st.Skip && keeps {
		s = append(s, arch.Layer{Kind: arch.Add, From: from})
	}
	if f != "" {
		s = append(s, arch.Layer{Kind: arch.Activate, Activation: f})
	}
	if st.Dropout > 0 {
		s = append(s, arch.Layer{Kind: arch.Dropout, Rate: st.Dropout})
	}
	return s
}

// rates are the ends of every optimiser's scale. An adagrad's steps shrink as it goes;
// those of adadelta and sgd are not normalised.
var rates = map[string]map[arch.Optimizer][2]float64{
	"": {
		arch.Adam: {1e-4, 1e-2}, arch.RMSprop: {1e-4, 1e-2}, arch.Adagrad: {1e-3, 0.1}, arch.Adadelta: {0.1, 1}, arch.SGD: {0.01, 1},
	},
	HighRates: {
		arch.Adam: {2e-3, 0.2}, arch.RMSprop: {2e-3, 0.2}, arch.Adagrad: {0.02, 2}, arch.Adadelta: {1, 10}, arch.SGD: {0.05, 5},
	},
}

// learningRate is the place u in [0, 1) on the optimiser's logarithmic scale, to
// three significant digits.
func (s Space) learningRate(o arch.Optimizer, u float64) float64 {
	ends := rates[s.Rates][o]
	v, err := strconv.ParseFloat(strconv.FormatFloat(ends[0]*math.Pow(ends[1]/ends[0], u), 'g', 3, 64), 64)
	if err != nil {
		panic("genome: " + err.Error())
	}
	return v
}

func (st step) halves() bool { return st.Pool == MaxPool || st.Pool == Strided }

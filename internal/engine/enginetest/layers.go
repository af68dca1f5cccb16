package enginetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// sides are heights and widths: even, odd, mixed, and down to one.
var sides = [][2]int{{4, 4}, {5, 5}, {7, 4}, {4, 9}, {1, 1}, {2, 3}, {3, 1}, {13, 6}}

// tries gives what tries one network after the other, each by the next seed.
func (s *suite) tries(t *testing.T, seed *uint64) func(batch int, name string, in arch.Shape, encoder, decoder arch.Stack) {
	return func(batch int, name string, in arch.Shape, encoder, decoder arch.Stack) {
		*seed++
		t.Run(fmt.Sprintf("%s %v", name, in), func(t *testing.T) {
			s.check(t, autoencoder(t, s.kinkless(arch.Arch{Input: in, Encoder: encoder, Decoder: decoder}), batch, graph.BCE, *seed))
		})
	}
}

func (s *suite) testLayers(t *testing.T) {
	seed := uint64(100)
	batches := s.tries(t, &seed)
	try := func(name string, in arch.Shape, encoder, decoder arch.Stack) {
		batches(1+int((seed+1)%3), name, in, encoder, decoder)
	}
	for i, side := range sides {
		in := arch.Shape{C: 1 + i%4, H: side[0], W: side[1]}
		half := arch.Shape{C: in.C, H: (in.H + 1) / 2, W: (in.W + 1) / 2}
		out := arch.Stack{conv(in.C, 3, 1)}
		for _, kernel := range []int{1, 3, 5, 7} {
			try(fmt.Sprint("conv", kernel), in, arch.Stack{conv(3, kernel, 1)}, out)
			try(fmt.Sprint("conv", kernel, " stride 2"), in, arch.Stack{conv(2, kernel, 2)}, arch.Stack{upsample(in.H, in.W), conv(in.C, 1, 1)})
		}
		for _, f := range activations {
			try(string(f), in, arch.Stack{conv(3, 3, 1), activation(f)}, out)
		}
		try("pool", in, arch.Stack{conv(2, 3, 1), maxPool, conv(3, 3, 1)}, arch.Stack{upsample(in.H, in.W), conv(in.C, 3, 1)})
		try("norm", in, arch.Stack{conv(3, 3, 1), activation(arch.ELU), batchNorm}, out)
		try("conv norm relu pool", in, arch.Stack{conv(3, 3, 1), batchNorm, activation(arch.ReLU), maxPool},
			arch.Stack{conv(3, 3, 1), activation(arch.ReLU), batchNorm, upsample(in.H, in.W), conv(in.C, 3, 1)})
		try("add", in, arch.Stack{conv(3, 3, 1), activation(arch.SiLU), conv(3, 3, 1), {Kind: arch.Add, From: 2}, activation(arch.ReLU)}, out)
		try("add to itself", in, arch.Stack{conv(3, 3, 1), {Kind: arch.Add, From: 1}}, out)
		try("add thrice", in, arch.Stack{conv(2, 3, 1), conv(2, 3, 1), {Kind: arch.Add, From: 1}, activation(arch.ELU), batchNorm, {Kind: arch.Add, From: 1}}, out)
		try("add of the image", in, arch.Stack{conv(in.C, 3, 1), {Kind: arch.Add}}, out)
		try("no encoder", in, nil, out)
		if half.H == 1 && half.W == 1 {
			try("dense", in, arch.Stack{conv(2, 3, 1), {Kind: arch.Dense, Filters: 3}}, arch.Stack{upsample(in.H, in.W), conv(in.C, 3, 1)})
		}
	}
	s.testFullVectors(batches)
	in := arch.Shape{C: 4, H: 4, W: 6}
	half := conv(64, 3, 2)
	try("logits of an upsampling's convolution", in, arch.Stack{half}, arch.Stack{upsample(in.H, in.W), conv(in.C, 3, 1)})
	try("logits of an upsampling", in, arch.Stack{half}, arch.Stack{conv(in.C, 3, 1), upsample(in.H, in.W)})
	try("logits of a sum", in, arch.Stack{half}, arch.Stack{upsample(in.H, in.W), conv(in.C, 3, 1), {Kind: arch.Add, From: 2}})
	try("logits of a norm", in, arch.Stack{conv(3, 1, 1)}, arch.Stack{conv(in.C, 3, 1), activation(arch.SiLU), batchNorm})
	for _, f := range activations {
		try("logits of "+string(f), in, arch.Stack{conv(3, 1, 1)}, arch.Stack{conv(in.C, 3, 1), activation(f)})
		try("logits of a norm and "+string(f), in, arch.Stack{conv(3, 1, 1)}, arch.Stack{conv(in.C, 3, 1), batchNorm, activation(f)})
		try("norms around "+string(f), in, arch.Stack{conv(3, 3, 1), batchNorm, activation(f), batchNorm}, arch.Stack{conv(in.C, 3, 1)})
	}
	try("logits of a sum's activation", in, nil, arch.Stack{conv(in.C, 3, 1), {Kind: arch.Add, From: 1}, activation(arch.ELU)})
	try("norms alone", in, arch.Stack{batchNorm, activation(arch.SiLU)}, arch.Stack{batchNorm})
}

// testFullVectors has batches whose images fill the lanes of vectors, or all but
// three of them.
func (s *suite) testFullVectors(try func(batch int, name string, in arch.Shape, encoder, decoder arch.Stack)) {
	for i, side := range sides {
		in := arch.Shape{C: 1 + i%4, H: side[0], W: side[1]}
		for j, kernel := range []int{1, 3, 5, 7} {
			few, more := 1+(i+j)%3, 4+(i+2*j)%6
			try(16+13*(j%2), fmt.Sprint("full vectors, conv", kernel), in,
				arch.Stack{conv(more, kernel, 1), activation(arch.ELU), conv(few, kernel, 2), conv(more, kernel, 1)},
				arch.Stack{conv(more, kernel, 1), upsample(in.H, in.W), conv(in.C, kernel, 1)})
		}
	}
	in := arch.Shape{C: 2, H: 6, W: 8}
	try(16, "full vectors, upsampled", in, arch.Stack{conv(16, 3, 2)}, arch.Stack{upsample(in.H, in.W), conv(17, 5, 1), activation(arch.ReLU), conv(2, 3, 1)})
}

// losses are those of autoencoders, and blends of them.
var losses = []graph.Loss{graph.BCE, graph.MSE, graph.SSIM, "ssim+mse", "0.25*bce+0.5*ssim+3*mse"}

func (s *suite) testLosses(t *testing.T) {
	for _, loss := range losses {
		for batch := 1; batch <= 5; batch += 2 {
			t.Run(fmt.Sprint(loss, " ", batch), func(t *testing.T) {
				s.check(t, autoencoder(t, smooth(), batch, loss, uint64(batch)))
				if loss == graph.SSIM { // the smallest image with more than one window a row
					a := arch.Arch{Input: arch.Shape{C: 2, H: 11, W: 14}, Encoder: arch.Stack{conv(2, 3, 1)}, Decoder: arch.Stack{conv(2, 3, 1)}}
					s.check(t, autoencoder(t, a, batch, loss, uint64(batch)))
				}
			})
		}
	}
}

func (s *suite) testClassifiers(t *testing.T) {
	dense := func(n int) arch.Layer { return arch.Layer{Kind: arch.Dense, Filters: n} }
	in := arch.Shape{C: 3, H: 4, W: 5}
	for name, head := range map[string]arch.Stack{
		"linear": {dense(4)},
		"mlp":    {dense(7), activation(arch.ReLU), {Kind: arch.Dropout, Rate: 0.3}, dense(4)},
		"normed": {batchNorm, dense(6), batchNorm, activation(arch.SiLU), dense(4)},
		"conv":   {conv(5, 3, 1), activation(arch.ReLU), maxPool, conv(4, 3, 2), activation(arch.ELU), dense(4)},
	} {
		t.Run(name, func(t *testing.T) { s.check(t, classifier(t, in, s.kinklessStack(head), 4, 3, 11)) })
	}
	t.Run("of images", func(t *testing.T) {
		tr := classifier(t, in, arch.Stack{conv(2, 3, 1), activation(arch.SiLU), dense(2)}, 2, 2, 12)
		tr.source.Images, tr.source.Features = make([]uint8, len(tr.source.Features)), nil
		for i := range tr.source.Images {
			tr.source.Images[i] = uint8(i * 37)
		}
		s.check(t, tr)
	})
}

// testDropout looks at the masks of four steps: one wrong value in them moves
// the loss and the gradients by far more than a rounding.
func (s *suite) testDropout(t *testing.T) {
	in := arch.Shape{C: 3, H: 5, W: 3}
	for _, seed := range []uint64{0, 1, 1<<63 + 1<<31 + 5} {
		for _, rate := range []float64{0, 0.1, 0.5, 0.9} {
			t.Run(fmt.Sprint(seed, " ", rate), func(t *testing.T) {
				drop := arch.Layer{Kind: arch.Dropout, Rate: rate}
				a := arch.Arch{Input: in, Encoder: arch.Stack{drop, conv(2, 1, 1), drop}, Decoder: arch.Stack{drop, conv(3, 1, 1)}}
				tr := autoencoder(t, a, 3, graph.BCE, seed)
				s.check(t, tr)
				s.follow(t, tr, arch.SGD, []float32{0.1, 0.1, 0.1, 0.1}, s.Value)
			})
		}
	}
}

// testDenoising looks at the noise of four steps, of images between the bounds and at them.
func (s *suite) testDenoising(t *testing.T) {
	for i, side := range [][2]int{{4, 4}, {7, 9}, {1, 3}, {13, 10}} {
		for _, sigma := range []float64{0.05, 0.6} {
			for _, loss := range []graph.Loss{graph.BCE, graph.SSIM} {
				t.Run(fmt.Sprint(side, " ", sigma, " ", loss), func(t *testing.T) {
					in, seed := arch.Shape{C: 1 + i%3, H: side[0], W: side[1]}, uint64(i)<<40+uint64(i)
					a := arch.Arch{Input: in, Encoder: arch.Stack{conv(2, 1, 1), activation(arch.SiLU), {Kind: arch.Dropout, Rate: 0.2}}, Decoder: arch.Stack{conv(in.C, 3, 1)}}
					tr := denoiser(t, a, 3, loss, sigma, seed)
					for k := range tr.source.Images {
						if k%5 == 0 {
							tr.source.Images[k] = uint8(255 * (k % 2))
						}
					}
					s.check(t, tr)
					s.follow(t, tr, arch.SGD, []float32{0.1, 0.1, 0.1, 0.1}, s.Value)
				})
			}
		}
	}
}

// testRandomNetworks has networks as a search makes them. Each that fails gets a second
// chance with other weights: a value within a rounding of ReLU's kink, or of another value in a
// pooling window, is seen as two by two engines, and both are right. That is
// rare: of a hundred networks two may need it.
func (s *suite) testRandomNetworks(t *testing.T) { s.testNetworks(t, Random, 1000) }

// testAnyNetworks has layers in any order.
func (s *suite) testAnyNetworks(t *testing.T) {
	if s.engine.Info().Name == "ref" {
		t.Skip("a network without ReLU and pooling in their places has other shapes, which a sum may not take")
	}
	s.testNetworks(t, anything, 5000)
}

func (s *suite) testNetworks(t *testing.T, draw func(*rand.Rand) arch.Arch, first uint64) {
	second := 0
	for i := range s.Networks {
		seed := first + uint64(i)
		r := rand.New(rand.NewPCG(seed, 7))
		a, batch := s.kinkless(draw(r)), 1+r.IntN(3)
		loss := losses[r.IntN(len(losses))]
		faults := s.compare(t, autoencoder(t, a, batch, loss, seed))
		if len(faults) > 0 {
			second++
			t.Logf("network %d, loss %s: %s", i, loss, faults[0])
			faults = s.compare(t, autoencoder(t, a, batch, loss, seed+1_000_000))
		}
		for _, fault := range faults {
			t.Errorf("network %d (%+v), batch %d, loss %s: %s", i, a, batch, loss, fault)
		}
	}
	if second > 1+s.Networks/50 {
		t.Errorf("%d of %d networks needed a second chance", second, s.Networks)
	}
}

func (s *suite) testLargeNetworks(t *testing.T) {
	if s.engine.Info().Name == "ref" {
		t.Skip("size makes no difference to ref but time")
	}
	if testing.Short() {
		t.Skip("large networks are for long tests")
	}
	f := s.Filters
	relu := activation(arch.ReLU)
	for i, a := range []arch.Arch{
		{Input: arch.Shape{C: 1, H: 28, W: 28},
			Encoder: arch.Stack{conv(2*f, 3, 1), relu, batchNorm, maxPool, conv(f, 3, 1), relu, maxPool, conv(4, 3, 1), relu},
			Decoder: arch.Stack{conv(f, 3, 1), relu, upsample(14, 14), conv(2*f, 3, 1), relu, batchNorm, upsample(28, 28), conv(1, 3, 1)}},
		{Input: arch.Shape{C: 3, H: 32, W: 32},
			Encoder: arch.Stack{conv(f, 5, 2), relu, conv(4*f, 3, 2), relu, batchNorm},
			Decoder: arch.Stack{conv(2*f, 3, 1), relu, upsample(16, 16), conv(f, 3, 1), relu, upsample(32, 32), conv(3, 3, 1)}},
		{Input: arch.Shape{C: 1, H: 27, W: 29},
			Encoder: arch.Stack{conv(f, 7, 1), activation(arch.SiLU), maxPool, conv(2*f, 3, 1), activation(arch.ELU), maxPool},
			Decoder: arch.Stack{upsample(14, 15), conv(f, 5, 1), activation(arch.LeakyReLU), upsample(27, 29), conv(1, 3, 1)}},
		{Input: arch.Shape{C: 3, H: 20, W: 24},
			Encoder: arch.Stack{conv(f, 3, 1), relu, conv(f, 3, 1), {Kind: arch.Add, From: 2}, batchNorm, relu, {Kind: arch.Dropout, Rate: 0.3}, maxPool},
			Decoder: arch.Stack{conv(f, 3, 1), relu, {Kind: arch.Dropout, Rate: 0.5}, upsample(20, 24), conv(3, 3, 1)}},
		{Input: arch.Shape{C: 1, H: 28, W: 28},
			Encoder: arch.Stack{conv(4*f, 3, 1), activation(arch.Sigmoid), maxPool, conv(12, 1, 1), batchNorm, maxPool},
			Decoder: arch.Stack{upsample(14, 14), conv(4*f, 3, 1), activation(arch.Sigmoid), batchNorm, upsample(28, 28), conv(1, 3, 1)}},
		{Input: arch.Shape{C: 3, H: 31, W: 32},
			Encoder: arch.Stack{conv(f, 5, 2), relu, conv(4*f, 3, 2), batchNorm},
			Decoder: arch.Stack{transposed(2*f, 3, 16, 16), batchNorm, relu, transposed(f, 5, 31, 32), activation(arch.ELU), conv(3, 3, 1)}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) { s.check(t, autoencoder(t, s.kinkless(a), 4, graph.BCE, uint64(50+i))) })
	}
}

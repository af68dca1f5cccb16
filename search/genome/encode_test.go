package genome

import (
	"math/rand/v2"
	"strings"
	"testing"

	"moncae/internal/arch"
)

// What a genome makes is encoded as a genome that makes the same, learning rate included.
func TestEncodingIsDecodingsInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, s := range []Space{
		{Name: Paper, MaxBlocks: 6, MaxFilters: 128}, {Name: Extended, MaxBlocks: 5, MaxFilters: 64}, Space{MaxBlocks: 8, MaxFilters: 32}.Named(Extended),
	} {
		for _, in := range []arch.Shape{{C: 1, H: 28, W: 28}, {C: 3, H: 7, W: 40}, {C: 2, H: 1, W: 2}} {
			for range 300 {
				a, r, err := s.Decode(s.Random(rng), in, Limits{})
				if err != nil {
					t.Fatal(err)
				}
				g, err := s.Encode(a, r)
				if err != nil {
					t.Fatalf("%+v, %+v: %v", a, r, err)
				}
				back, again, err := s.Decode(g, in, Limits{})
				if err != nil || arch.Identity(back, again) != arch.Identity(a, r) {
					t.Fatalf("%+v, %+v became %+v, %+v, %v", a, r, back, again, err)
				}
			}
		}
	}
}

func TestWhatASpaceDoesNotHave(t *testing.T) {
	s := Space{MaxBlocks: 2, MaxFilters: 16}.Named(Extended)
	conv := func(filters int) arch.Layer {
		return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: 3, Stride: 1}
	}
	relu, pool := arch.Layer{Kind: arch.Activate, Activation: arch.ReLU}, arch.Layer{Kind: arch.MaxPool}
	up := arch.Layer{Kind: arch.Upsample, To: &[2]int{8, 8}}
	good := func() arch.Arch {
		return arch.Arch{Input: arch.Shape{C: 1, H: 8, W: 8}, Encoder: arch.Stack{conv(8), relu, conv(2), pool}, Decoder: arch.Stack{conv(8), relu, up, conv(8), relu, conv(1)}}
	}
	adam := arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.OneCycle}
	if g, err := s.Encode(good(), arch.Recipe{}); err != nil || g.Optimizer != arch.Adam || g.Schedule != arch.OneCycle {
		t.Fatalf("a network without a recipe: %+v, %v", g, err)
	}
	for want, x := range map[string]struct {
		change func(*arch.Arch)
		recipe arch.Recipe
	}{
		"3 blocks, the space has 2 at most: give --max-layers 3": {func(a *arch.Arch) {
			a.Encoder, a.Decoder = append(arch.Stack{conv(8), relu}, a.Encoder...), append(arch.Stack{conv(8), relu}, a.Decoder...)
		}, adam},
		"its encoder has 2 convolutions, its decoder 2":                       {func(a *arch.Arch) { a.Decoder = a.Decoder[3:] }, adam},
		"block 0: its filters is none of the space extended, which has 4 8":   {func(a *arch.Arch) { a.Encoder[0].Filters = 7 }, adam},
		"layer 3 of its decoder is conv of 9 filters, 3×3, stride 1, the":     {func(a *arch.Arch) { a.Decoder[3].Filters = 9 }, adam},
		"layer 4 of its decoder is elu, the space's nearest network has relu": {func(a *arch.Arch) { a.Decoder[4].Activation = arch.ELU }, adam},
		"its decoder has silu (layer 6) where the space's": {func(a *arch.Arch) {
			a.Decoder = append(a.Decoder, arch.Layer{Kind: arch.Activate, Activation: arch.SiLU})
		}, adam},
		"its learning rate is 3, the space has 0.002 to 0.2 for adam": {func(*arch.Arch) {}, arch.Recipe{Optimizer: arch.Adam, LearningRate: 3, Schedule: arch.OneCycle}},
		`optimizer "lion" is unknown`:                                 {func(*arch.Arch) {}, arch.Recipe{Optimizer: "lion", LearningRate: 0.01, Schedule: arch.OneCycle}},
	} {
		a := good()
		x.change(&a)
		if _, err := s.Encode(a, x.recipe); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

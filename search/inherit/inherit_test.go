package inherit_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
	"moncae/search/genome"
	"moncae/search/inherit"
)

var space = genome.Space{MaxBlocks: 4, MaxFilters: 16}.Named(genome.Extended)

// mother has blocks 0 and 2; what a change is for one of them is one for its mirror too.
func mother() genome.Genome {
	block := genome.Block{Active: true, Filters: 8, Kernel: 3, Activation: arch.ReLU, Pool: genome.NoPool}
	g := genome.Genome{Blocks: []genome.Block{block, block, block, block}, Latent: genome.Latent{Filters: 4}, Optimizer: arch.Adam, Schedule: arch.Constant}
	g.Blocks[0].BatchNorm, g.Blocks[0].Pool = true, genome.MaxPool
	g.Blocks[1].Active, g.Blocks[3].Active = false, false
	g.Blocks[2].BatchNorm, g.Blocks[2].Pool = true, genome.Strided
	return g
}

func decoded(t *testing.T, g genome.Genome) inherit.Network {
	t.Helper()
	a, _, err := space.Decode(g, arch.Shape{C: 1, H: 7, W: 8}, genome.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return inherit.Network{Arch: a, Blocks: g.Active()}
}

// handed are the networks of a mother and her changed child, and their weights.
func handed(t *testing.T, change func(*genome.Genome)) (m, c inherit.Network, hers, its arch.Weights) {
	t.Helper()
	g := mother()
	m = decoded(t, g)
	change(&g)
	c = decoded(t, g)
	hers = arch.ScatteredWeights(m.Arch.Params(), 3, rand.New(rand.NewPCG(1, 2)))
	its = inherit.Weights(c, m, hers, arch.InitialWeights(c.Arch.Params(), 4))
	if err := its.Check(c.Arch.Params()); err != nil {
		t.Fatal(err)
	}
	return m, c, hers, its
}

func outputs(t *testing.T, a arch.Arch, w arch.Weights) []float32 {
	t.Helper()
	const images = 3
	pixels := make([]uint8, images*a.Input.Values())
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range pixels {
		pixels[i] = uint8(rng.IntN(256))
	}
	eng := ref.New()
	net, err := graph.Autoencoder(a, images, graph.BCE, 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := eng.Load(engine.Source{Shape: a.Input, Images: pixels})
	if err != nil {
		t.Fatal(err)
	}
	p, err := eng.Compile(net, data, engine.Config{Optimizer: arch.Adam, Weights: w})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(pixels))
	if err := errors.Join(p.Infer([]int32{0, 1, 2}, nil, out), p.Close(), data.Close()); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheseChangesKeepTheFunction(t *testing.T) {
	for name, change := range map[string]func(*genome.Genome){
		"wider":                                 func(g *genome.Genome) { g.Blocks[0].Filters = 16 },
		"wider, last block":                     func(g *genome.Genome) { g.Blocks[2].Filters = 16 },
		"larger kernel":                         func(g *genome.Genome) { g.Blocks[0].Kernel, g.Blocks[2].Kernel = 7, 5 },
		"no batch norm":                         func(g *genome.Genome) { g.Blocks[0].BatchNorm = false },
		"no batch norm behind a transposed one": func(g *genome.Genome) { g.Blocks[2].BatchNorm = false },
		"one more block":                        func(g *genome.Genome) { g.Blocks[1].Active = true },
		"one more, with a skip": func(g *genome.Genome) {
			g.Blocks[1].Active, g.Blocks[1].Skip = true, true
		},
		"one more, with a skip and batch norm": func(g *genome.Genome) {
			g.Blocks[1].Active, g.Blocks[1].Skip, g.Blocks[1].BatchNorm = true, true, true
		},
		"one more, wider": func(g *genome.Genome) { g.Blocks[1].Active, g.Blocks[1].Filters = true, 16 },
		"all of it": func(g *genome.Genome) {
			g.Blocks[0].BatchNorm, g.Blocks[1].Active = false, true
			g.Blocks[2].Filters, g.Blocks[2].Kernel = 16, 7
		},
	} {
		m, c, hers, its := handed(t, change)
		want, got := outputs(t, m.Arch, hers), outputs(t, c.Arch, its)
		if len(c.Arch.Params()) == len(m.Arch.Params()) && c.Arch.ParamCount() == m.Arch.ParamCount() {
			t.Fatalf("%s: the child is its mother", name)
		}
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 1e-5 {
				t.Errorf("%s: output %d is %v, its mother's %v", name, i, got[i], want[i])
				break
			}
		}
	}
}

func TestAChildOfHerShapeHasHerWeights(t *testing.T) {
	m, c, hers, its := handed(t, func(g *genome.Genome) { g.Blocks[2].Activation, g.Rate = arch.ELU, 0.9 })
	if !reflect.DeepEqual(its, hers) || inherit.Share(c, m) != 1 {
		t.Errorf("a share of %v: %v", inherit.Share(c, m), its)
	}
}

// A child with less of everything has the first filters and the middles of the kernels.
func TestNarrowing(t *testing.T) {
	_, _, hers, its := handed(t, func(g *genome.Genome) { g.Blocks[0].Filters, g.Blocks[0].Kernel = 4, 1 })
	for o := range 4 {
		if got, want := its["encoder.0.weight"][o], hers["encoder.0.weight"][9*o+4]; got != want {
			t.Errorf("filter %d is %v, want %v", o, got, want)
		}
		for _, name := range []string{"encoder.0.bias", "encoder.1.gamma", "encoder.1.beta", "encoder.1.mean", "encoder.1.variance"} {
			if its[name][o] != hers[name][o] {
				t.Errorf("%s of filter %d is %v, want %v", name, o, its[name][o], hers[name][o])
			}
		}
	}
}

// Filters beyond the mother's, and of a new block those beyond its inputs, are the child's own.
func TestTheRestIsFresh(t *testing.T) {
	_, c, _, its := handed(t, func(g *genome.Genome) { g.Blocks[0].Filters, g.Blocks[3].Active, g.Blocks[3].Filters = 16, true, 16 })
	fresh := arch.InitialWeights(c.Arch.Params(), 4)
	for name, from := range map[string]int{"encoder.0.weight": 8 * 9, "encoder.1.gamma": 8, "decoder.0.weight": 4 * 4 * 9} {
		if got, want := its[name][from:], fresh[name][from:]; !reflect.DeepEqual(got, want) || len(got) == 0 {
			t.Errorf("%s from %d on: %v, want %v", name, from, got, want)
		}
	}
}

// Behind a pooling less, convolutions see larger images than the mother's.
func TestOtherSizesAreFresh(t *testing.T) {
	_, c, hers, its := handed(t, func(g *genome.Genome) { g.Blocks[0].Pool = genome.NoPool })
	fresh := arch.InitialWeights(c.Arch.Params(), 4)
	for name, want := range map[string]arch.Weights{"encoder.0.weight": hers, "encoder.1.gamma": hers, "encoder.3.weight": fresh, "decoder.0.weight": fresh} {
		if len(its[name]) == 0 || !reflect.DeepEqual(its[name], want[name]) {
			t.Errorf("%s: %v, want %v", name, its[name], want[name])
		}
	}
}

// Share counts what Weights copies, whatever two genomes are.
func TestShareIsWhatIsCopied(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		g := space.Random(rng)
		m := decoded(t, g)
		c := decoded(t, space.Mutate(space.Crossover(g, space.Random(rng), rng), rng))
		hers, fresh := arch.Weights{}, arch.Weights{}
		for _, p := range m.Arch.Params() {
			hers[p.Name] = make([]float32, p.Size())
			for i := range hers[p.Name] {
				hers[p.Name][i] = float32(math.NaN())
			}
		}
		all := 0
		for _, p := range c.Arch.Params() {
			fresh[p.Name], all = make([]float32, p.Size()), all+p.Size()
		}
		copied := 0
		for _, v := range inherit.Weights(c, m, hers, fresh) {
			for _, x := range v {
				if x != x {
					copied++
				}
			}
		}
		if got, want := inherit.Share(c, m), float64(copied)/float64(all); math.Abs(got-want) > 1e-12 || !(got > 0) {
			t.Fatalf("share %v, copied %v: %s", got, want, fmt.Sprint(c, m))
		}
	}
}

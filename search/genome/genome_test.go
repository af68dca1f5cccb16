package genome

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"moncae/internal/arch"
)

var (
	paper    = Space{Name: Paper, MaxBlocks: 6, MaxFilters: 128}
	extended = Space{Name: Extended, MaxBlocks: 8, MaxFilters: 128}
)

func anySpace(t *rapid.T) Space {
	s := rapid.SampledFrom([]Space{paper, extended, Space{MaxBlocks: 4, MaxFilters: 16}.Named(Extended), {Name: Paper, MaxBlocks: 1, MaxFilters: 4}}).Draw(t, "space")
	return s
}

func source(t *rapid.T) *rand.Rand {
	return rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
}

// evolved is a genome a few steps away from random ones.
func evolved(t *rapid.T, s Space) Genome {
	rng := source(t)
	g := s.Random(rng)
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		g = s.Mutate(s.Crossover(g, s.Random(rng), rng), rng)
	}
	return g
}

func TestEveryGenomeDecodes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySpace(t)
		g := evolved(t, s)
		in := arch.Shape{C: rapid.IntRange(1, 4).Draw(t, "C"), H: rapid.IntRange(8, 128).Draw(t, "H"), W: rapid.IntRange(8, 128).Draw(t, "W")}
		a, recipe, err := s.Decode(g, in, Limits{})
		if err != nil {
			t.Fatalf("%+v for %v: %v", g, in, err)
		}
		if err := recipe.Validate(); err != nil {
			t.Fatal(err)
		}
		if a.ParamCount() < 1 || a.FLOPs() < 1 || a.TrainingBytes(1) < 1 || a.Latent().Values() < 1 {
			t.Fatalf("an empty network: %+v", a)
		}
		if s.Name == Paper {
			checkPaper(t, a, recipe)
		}
	})
}

// checkPaper holds what the paper's space promises over the extended one.
func checkPaper(t *rapid.T, a arch.Arch, r arch.Recipe) {
	before := math.MaxInt
	for _, l := range a.Encoder {
		switch l.Kind {
		case arch.Conv:
			if l.Filters > before || l.Stride != 1 || l.Kernel == 1 {
				t.Fatalf("layer %+v after %d filters", l, before)
			}
			before = l.Filters
		case arch.Add:
			t.Fatal("a skip in the paper's space")
		case arch.Activate:
			if l.Activation != arch.ReLU && l.Activation != arch.Sigmoid {
				t.Fatalf("activation %s", l.Activation)
			}
		}
	}
	if r.Schedule != arch.Constant || r.Optimizer == arch.SGD {
		t.Fatalf("recipe %+v", r)
	}
}

func TestDecodeByHand(t *testing.T) {
	g := Genome{
		Blocks: []Block{
			{Active: true, Filters: 8, Kernel: 5, BatchNorm: true, Activation: arch.SiLU, Pool: MaxPool},
			{Active: false, Filters: 128, Kernel: 7, Activation: arch.ELU, Pool: MaxPool},
			{Active: true, Filters: 8, Kernel: 3, Activation: arch.ReLU, Dropout: 0.1, Skip: true},
			{Active: true, Filters: 4, Kernel: 3, Activation: arch.ELU, Pool: Strided, Skip: true},
		},
		Latent:    Latent{Filters: 2},
		Optimizer: arch.Adam, Rate: 0.5, Schedule: arch.OneCycle,
	}
	conv := func(f, k, s int) arch.Layer {
		return arch.Layer{Kind: arch.Conv, Filters: f, Kernel: k, Stride: s}
	}
	act := func(f arch.Activation) arch.Layer { return arch.Layer{Kind: arch.Activate, Activation: f} }
	up := func(h, w int) arch.Layer { return arch.Layer{Kind: arch.Upsample, To: &[2]int{h, w}} }
	bn, drop := arch.Layer{Kind: arch.BatchNorm}, arch.Layer{Kind: arch.Dropout, Rate: 0.1}
	want := arch.Arch{
		Input: arch.Shape{C: 3, H: 14, W: 9},
		Encoder: arch.Stack{
			conv(8, 5, 1), bn, act(arch.SiLU), {Kind: arch.MaxPool}, // 8×7×5
			conv(8, 3, 1), {Kind: arch.Add, From: 4}, act(arch.ReLU), drop,
			conv(2, 3, 2), // 2×4×3, a linear latent
		},
		Decoder: arch.Stack{
			conv(8, 3, 1), act(arch.ELU), up(7, 5), // as wide as the block before: 8, not 4
			conv(8, 3, 1), {Kind: arch.Add, From: 3}, act(arch.ReLU), drop,
			conv(8, 5, 1), bn, act(arch.SiLU), up(14, 9),
			conv(3, 3, 1),
		},
	}
	a, recipe, err := Space{Name: Extended, MaxBlocks: 4, MaxFilters: 128}.Decode(g, want.Input, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	transposing := Space{MaxBlocks: 4, MaxFilters: 128}.Named(Extended)
	if a, _, err := transposing.Decode(g, want.Input, Limits{}); err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("a latent of two channels: got  %+v (%v)\nwant %+v", a, err, want)
	}
	g.Latent.Filters, want.Encoder[8].Filters = 4, 4
	want.Decoder = append(arch.Stack{{Kind: arch.Transpose, Filters: 8, Kernel: 3, To: &[2]int{7, 5}}, act(arch.ELU)}, want.Decoder[3:]...)
	want.Decoder[3].From = 2 // a layer less before the skip
	if a, _, err := transposing.Decode(g, want.Input, Limits{}); err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("got  %+v (%v)\nwant %+v", a, err, want)
	}
	g.Blocks[3].Kernel = 1
	if a, _, err := transposing.Decode(g, want.Input, Limits{}); err != nil || a.Encoder[8].Kernel != 3 || a.Decoder[0].Kernel != 3 {
		t.Errorf("a strided convolution with kernel 1: %+v, its mirror %+v (%v)", a.Encoder[8], a.Decoder[0], err)
	}
	g.Latent.Filters = 2
	if a, _, err := (Space{Name: Extended, MaxBlocks: 4, MaxFilters: 128}).Decode(g, want.Input, Limits{}); err != nil || a.Encoder[8].Kernel != 3 || a.Decoder[0].Kernel != 1 {
		t.Errorf("a strided convolution with kernel 1: %+v, its mirror %+v (%v)", a.Encoder[8], a.Decoder[0], err)
	}
	if want := (arch.Recipe{Optimizer: arch.Adam, LearningRate: 1e-3, Schedule: arch.OneCycle}); recipe != want {
		t.Errorf("recipe %+v, want %+v", recipe, want)
	}
	if z := a.Latent(); z != (arch.Shape{C: 2, H: 4, W: 3}) {
		t.Errorf("latent %v", z)
	}
}

func TestPaperFiltersNeverGrow(t *testing.T) {
	g := Genome{
		Blocks: []Block{
			{Active: true, Filters: 16, Kernel: 3, Activation: arch.ReLU},
			{Active: true, Filters: 4, Kernel: 3, Activation: arch.ReLU},
			{Active: true, Filters: 128, Kernel: 3, Activation: arch.ReLU},
		},
		Optimizer: arch.Adadelta, Schedule: arch.Constant,
	}
	a, recipe, err := Space{Name: Paper, MaxBlocks: 3, MaxFilters: 128}.Decode(g, arch.Shape{C: 1, H: 8, W: 8}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var filters []int
	for _, l := range append(slices.Clone(a.Encoder), a.Decoder...) {
		if l.Kind == arch.Conv {
			filters = append(filters, l.Filters)
		}
	}
	if want := []int{16, 4, 4, 4, 4, 16, 1}; !slices.Equal(filters, want) {
		t.Errorf("filters %v, want %v", filters, want)
	}
	if recipe.LearningRate != 0.1 {
		t.Errorf("adadelta's least learning rate is %v", recipe.LearningRate)
	}
}

// A run keeps the learning rates that it began with; new ones have those of their space.
func TestRatesAreThoseOfTheSpace(t *testing.T) {
	in := arch.Shape{C: 1, H: 8, W: 8}
	for _, c := range []struct {
		space       Space
		optimizer   arch.Optimizer
		least, most float64
	}{
		{Space{Name: Extended, MaxBlocks: 1, MaxFilters: 4}, arch.Adam, 1e-4, 1e-2},
		{Space{MaxBlocks: 1, MaxFilters: 4, Rates: HighRates}.Named(Paper), arch.Adam, 1e-4, 1e-2},
		{Space{MaxBlocks: 1, MaxFilters: 4}.Named(Extended), arch.Adam, 2e-3, 0.2},
		{Space{MaxBlocks: 1, MaxFilters: 4}.Named(Extended), arch.RMSprop, 2e-3, 0.2},
		{Space{MaxBlocks: 1, MaxFilters: 4}.Named(Extended), arch.Adagrad, 0.02, 2},
		{Space{MaxBlocks: 1, MaxFilters: 4}.Named(Extended), arch.Adadelta, 1, 10},
		{Space{MaxBlocks: 1, MaxFilters: 4}.Named(Extended), arch.SGD, 0.05, 5},
	} {
		g := c.space.Random(rand.New(rand.NewPCG(1, 2)))
		g.Optimizer = c.optimizer
		for _, end := range []struct{ u, want float64 }{{0, c.least}, {math.Nextafter(1, 0), c.most}} {
			g.Rate = end.u
			if _, r, err := c.space.Decode(g, in, Limits{}); err != nil || r.LearningRate != end.want {
				t.Errorf("%+v, %s at %v: %v (%v), want %v", c.space, c.optimizer, end.u, r.LearningRate, err, end.want)
			}
		}
	}
}

// The paper's latents of 28×28 images: sides 28, 14, 7, 4, 2 with 4 … 128
// channels are 49·2^2 … 49·2^11 and 2^4 … 2^11 values.
func TestPaperLatents(t *testing.T) {
	want := map[int]bool{}
	for e := 2; e <= 11; e++ {
		want[49<<e] = true
		want[4<<e] = true
	}
	delete(want, 4<<10)
	delete(want, 4<<11)
	want[16] = true
	got := map[int]bool{}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		a, _, err := paper.Decode(paper.Random(rng), arch.Shape{C: 1, H: 28, W: 28}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got[a.Latent().Values()] = true
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("latent sizes %v, want %v", got, want)
	}
}

func TestInertGenesDontMakeANewNetwork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := extended
		g := evolved(t, s)
		h := g.Clone()
		other := s.Random(source(t))
		for i := range h.Blocks {
			if !h.Blocks[i].Active {
				h.Blocks[i] = other.Blocks[i]
				h.Blocks[i].Active = false
			}
		}
		in := arch.Shape{C: 1, H: 28, W: 20}
		if identity(t, s, g, in) != identity(t, s, h, in) {
			t.Fatal("genes of inactive blocks change the network")
		}
	})
}

func identity(t *rapid.T, s Space, g Genome, in arch.Shape) string {
	a, r, err := s.Decode(g, in, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return arch.Identity(a, r)
}

func TestLimitsRefuse(t *testing.T) {
	g := extended.Random(rand.New(rand.NewPCG(5, 5)))
	in := arch.Shape{C: 3, H: 32, W: 32}
	a, _, err := extended.Decode(g, in, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	flops := a.FLOPs()
	if _, _, err := extended.Decode(g, in, Limits{FLOPs: flops}); err != nil {
		t.Errorf("refused at its own size: %v", err)
	}
	if _, _, err := extended.Decode(g, in, Limits{FLOPs: flops - 1}); err == nil || !strings.Contains(err.Error(), "multiply-adds") {
		t.Errorf("multiply-adds over the limit: %v", err)
	}
}

func TestMutationChangesAndKeepsTheSpace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySpace(t)
		g := s.Random(source(t))
		before := g.Clone()
		m := s.Mutate(g, source(t))
		if !reflect.DeepEqual(g, before) {
			t.Fatal("the parent was changed in place")
		}
		if !m.Blocks[0].Active || len(m.Blocks) != s.MaxBlocks || m.Rate < 0 || m.Rate >= 1 {
			t.Fatalf("outside the space: %+v", m)
		}
	})
}

func TestMutationSwitchesBlocksOn(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for space, want := range map[Space]float64{paper: SwitchOnPaper, extended: SwitchOnExtended} {
		g := space.Random(rng)
		for i := range g.Blocks[1:] {
			g.Blocks[i+1].Active = false
		}
		on := 0.0
		const rounds = 4000
		for range rounds {
			for _, b := range space.Mutate(g, rng).Blocks[1:] {
				if b.Active {
					on++
				}
			}
		}
		n := float64(rounds * (space.MaxBlocks - 1))
		if share := on / n; math.Abs(share-want) > 4*math.Sqrt(want*(1-want)/n) {
			t.Errorf("%s: inactive blocks came on %v of the time, want %v", space.Name, share, want)
		}
	}
}

func TestDropoutIsRareInTheExtendedSpace(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for space, want := range map[Space]float64{extended: Rarely, paper: 5. / 6} {
		some, n := 0.0, 0.0
		for range 1000 {
			for _, b := range space.Random(rng).Blocks {
				n++
				if b.Dropout > 0 {
					some++
				}
			}
		}
		if share := some / n; math.Abs(share-want) > 4*math.Sqrt(want*(1-want)/n) {
			t.Errorf("%s: dropout in %v of the blocks, want %v", space.Name, share, want)
		}
	}
}

func TestCrossoverHasOnePoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySpace(t)
		rng := source(t)
		a, b := s.Random(rng), s.Random(rng)
		child := s.Crossover(a, b, rng)
		// The child is a's head and b's tail for at least one cut that leaves both a gene.
		genes := s.genes()
		for cut := 1; cut < len(genes); cut++ {
			mix := a.Clone()
			for _, g := range genes[cut:] {
				g.copy(&mix, &b)
			}
			if reflect.DeepEqual(mix, child) {
				return
			}
		}
		t.Fatalf("no cut of\n%+v\n%+v gives\n%+v", a, b, child)
	})
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := evolved(t, anySpace(t))
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		var back Genome
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(g, back) {
			t.Fatalf("%s came back as %+v", b, back)
		}
	})
}

func TestSameSeedSameGenome(t *testing.T) {
	draw := func() Genome {
		rng := rand.New(rand.NewPCG(46, 3))
		return extended.Mutate(extended.Crossover(extended.Random(rng), extended.Random(rng), rng), rng)
	}
	if a, b := draw(), draw(); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v and %+v", a, b)
	}
}

// A pooling halves sides of 2 where the space says so, and of 3 and more elsewhere.
func TestPoolingsToAPixel(t *testing.T) {
	for _, pool := range []Pool{MaxPool, Strided} {
		b := Block{Active: true, Filters: 4, Kernel: 1, Activation: arch.ReLU, Pool: pool}
		g := Genome{Blocks: []Block{b, b, b, b, b}, Latent: Latent{Filters: 3}, Optimizer: arch.Adam, Rate: 0.5, Schedule: arch.Constant}
		for s, want := range map[Space]arch.Shape{
			Space{MaxBlocks: 5, MaxFilters: 4}.Named(Extended):             {C: 3, H: 1, W: 1},
			{Name: Extended, MaxBlocks: 5, MaxFilters: 4}:                  {C: 3, H: 2, W: 2},
			{Name: Paper, MaxBlocks: 5, MaxFilters: 4}:                     {C: 4, H: 2, W: 2},
			Space{MaxBlocks: 5, MaxFilters: 4, ToPixel: true}.Named(Paper): {C: 4, H: 2, W: 2},
		} {
			a, _, err := s.Decode(g, arch.Shape{C: 1, H: 28, W: 28}, Limits{})
			if err != nil || a.Latent() != want {
				t.Errorf("%+v, %s: latent %v, %v; want %v", s, pool, a.Latent(), err, want)
			}
		}
	}
}

// What a genome means depends on rates, poolings and mirrors, not on how many genomes there are.
func TestSpacesAlike(t *testing.T) {
	s := Space{MaxBlocks: 5, MaxFilters: 16}.Named(Extended)
	if fewer := (Space{MaxBlocks: 3, MaxFilters: 8}).Named(Extended); !s.Alike(fewer) || !fewer.Alike(s) {
		t.Errorf("%+v and %+v are not alike", s, fewer)
	}
	older := s
	older.Transpose = false
	for _, o := range []Space{older, {Name: Extended, MaxBlocks: 5, MaxFilters: 16}, s.Named(Paper)} {
		if s.Alike(o) {
			t.Errorf("%+v and %+v are alike", s, o)
		}
	}
}

func TestSpaceValidate(t *testing.T) {
	for _, s := range []Space{paper, extended, Space{MaxBlocks: 1, MaxFilters: 4}.Named(Extended)} {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for want, refused := range map[string][]Space{
		"learning rates":      {{Name: Paper, MaxBlocks: 3, MaxFilters: 8, Rates: HighRates}, {Name: Extended, MaxBlocks: 3, MaxFilters: 8, Rates: "low"}},
		"poolings to a pixel": {{Name: Paper, MaxBlocks: 3, MaxFilters: 8, ToPixel: true}},
		"transposed":          {{Name: Paper, MaxBlocks: 3, MaxFilters: 8, Transpose: true}},
	} {
		for _, s := range refused {
			if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v", s, err)
			}
		}
	}
	err := Space{Name: "papier", MaxBlocks: 9, MaxFilters: 3}.Validate()
	for _, want := range []string{"papier", "9 layers", "3 filters"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't name %q", err, want)
		}
	}
	if err := (Space{Name: Paper, MaxBlocks: 7, MaxFilters: 128}).Validate(); err == nil {
		t.Error("7 layers in the paper's space")
	}
}

func TestEvenTakesWholeFieldsOfTheFirstBlock(t *testing.T) {
	space := Space{Name: Extended, MaxBlocks: 4, MaxFilters: 32}
	rng := rand.New(rand.NewPCG(46, 1))
	taken := map[string]int{}
	for range 200 {
		g := space.Random(rng)
		even := space.Even(g, rng)
		if err := space.Check(even); err != nil {
			t.Fatal(err)
		}
		for name, field := range map[string]func(Block) any{
			"active": func(b Block) any { return b.Active }, "filters": func(b Block) any { return b.Filters }, "kernel": func(b Block) any { return b.Kernel },
			"batch norm": func(b Block) any { return b.BatchNorm }, "activation": func(b Block) any { return b.Activation },
			"dropout": func(b Block) any { return b.Dropout }, "pool": func(b Block) any { return b.Pool }, "skip": func(b Block) any { return b.Skip },
		} {
			kept, first := true, true
			for i, b := range even.Blocks {
				kept = kept && field(b) == field(g.Blocks[i])
				first = first && field(b) == field(g.Blocks[0])
			}
			if !kept && !first {
				t.Fatalf("%s: %+v of %+v", name, even, g)
			}
			if first && !kept {
				taken[name]++
			}
		}
	}
	if taken["active"] > 0 || taken["kernel"] < 50 || taken["skip"] < 50 || taken["dropout"] == 0 {
		t.Errorf("taken from the first block: %v", taken)
	}
}

func TestUsualNetworksAreOfTheSpace(t *testing.T) {
	rng := rand.New(rand.NewPCG(46, 3))
	for _, space := range []Space{Space{MaxBlocks: 5, MaxFilters: 32}.Named(Extended), Space{MaxBlocks: 4, MaxFilters: 64}.Named(Paper)} {
		for range 100 {
			g := space.Random(rng)
			u := space.Usual(g, Strided, rng)
			if err := space.Check(u); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(u.Active(), g.Active()) || u.Latent.Filters != g.Latent.Filters {
				t.Fatalf("%+v has other blocks or channels than %+v", u, g)
			}
			filters := g.Blocks[0].Filters
			for _, i := range u.Active() {
				if u.Blocks[i].Filters != filters {
					t.Fatalf("block %d of %+v has not %d filters", i, u, filters)
				}
				filters = min(2*filters, space.MaxFilters)
			}
		}
	}
}

func TestWidestTakesTheMostChannelsThatAreAllowed(t *testing.T) {
	space := Space{MaxBlocks: 3, MaxFilters: 32}.Named(Extended)
	g := space.Random(rand.New(rand.NewPCG(46, 4)))
	g.Latent.Filters = 3
	wide := space.Widest(g, func(g Genome) bool { return g.Latent.Filters <= 13 })
	none := space.Widest(g, func(Genome) bool { return false })
	if wide.Latent.Filters != 12 || none.Latent.Filters != 3 || g.Latent.Filters != 3 {
		t.Errorf("12, 3 and 3 channels are wanted: %d, %d, %d", wide.Latent.Filters, none.Latent.Filters, g.Latent.Filters)
	}
}

// Retrain changes the recipe, and nothing else.
func TestRetrain(t *testing.T) {
	space := Space{Name: Extended, MaxBlocks: 3, MaxFilters: 16}
	rng := rand.New(rand.NewPCG(46, 1))
	for range 100 {
		g := space.Random(rng)
		again := space.Retrain(g, rng)
		if again.Optimizer == g.Optimizer && again.Rate == g.Rate && again.Schedule == g.Schedule || space.Check(again) != nil {
			t.Fatalf("%+v became %+v", g, again)
		}
		again.Optimizer, again.Rate, again.Schedule = g.Optimizer, g.Rate, g.Schedule
		if !reflect.DeepEqual(again, g) {
			t.Fatalf("%+v became %+v", g, again)
		}
	}
}

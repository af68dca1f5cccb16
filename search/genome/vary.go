package genome

import (
	"math"
	"math/rand/v2"
	"slices"

	"moncae/internal/arch"
)

// The chances of an inactive block to become active in one mutation. The
// paper's lets networks grow ever shallower, for an active block is switched off
// ten times as often; the extended space's balances it.
const (
	SwitchOnPaper    = 0.01
	SwitchOnExtended = 0.1
)

func (s Space) switchOn() float64 {
	if s.Name == Paper {
		return SwitchOnPaper
	}
	return SwitchOnExtended
}

// Random draws every gene uniformly from the space's options, but for dropout in
// the extended space (see Rarely).
func (s Space) Random(rng *rand.Rand) Genome {
	g := Genome{Blocks: make([]Block, s.MaxBlocks)}
	for _, gene := range s.genes() {
		gene.draw(&g, rng)
	}
	return g
}

// Even is a copy of g in which all blocks have some of the first one's fields, each
// by an even chance. Of networks that are drawn gene by gene, hardly any is like those
// that people build, whose blocks are alike.
func (Space) Even(g Genome, rng *rand.Rand) Genome {
	g = g.Clone()
	first := g.Blocks[0]
	for _, take := range []func(*Block){
		func(b *Block) { b.Filters = first.Filters },
		func(b *Block) { b.Kernel = first.Kernel },
		func(b *Block) { b.BatchNorm = first.BatchNorm },
		func(b *Block) { b.Activation = first.Activation },
		func(b *Block) { b.Dropout = first.Dropout },
		func(b *Block) { b.Pool = first.Pool },
		func(b *Block) { b.Skip = first.Skip },
	} {
		if rng.IntN(2) == 0 {
			for i := range g.Blocks {
				take(&g.Blocks[i])
			}
		}
	}
	return g
}

// Mutate is a copy of g in which 1 + Poisson(1) genes have another value, drawn
// from the genes that take part: those of active blocks and of the whole
// network, the same one perhaps twice (a dropout of the extended space may stay). A block can be switched off this way;
// each inactive block is switched on with the space's chance.
func (s Space) Mutate(g Genome, rng *rand.Rand) Genome {
	g = g.Clone()
	var live []gene
	for _, gene := range s.genes() {
		if gene.block < 0 || g.Blocks[gene.block].Active {
			live = append(live, gene)
		}
	}
	for i := range g.Blocks {
		if !g.Blocks[i].Active && rng.Float64() < s.switchOn() {
			g.Blocks[i].Active = true
		}
	}
	for range 1 + poisson(1, rng) {
		live[rng.IntN(len(live))].redraw(&g, rng)
	}
	return g
}

// Usual is a copy of g that keeps which blocks are active, the first one's filters and the
// latent's channels, and is otherwise what people would begin with: 3×3 convolutions whose
// filters double from block to block, batch norm, silu, one way to halve (Strided or
// MaxPool), nothing behind the latent, and Adam on one cycle at a high rate. The paper's
// space has ReLU, poolings and a constant rate in their places.
func (s Space) Usual(g Genome, halve Pool, rng *rand.Rand) Genome {
	g = g.Clone()
	block := Block{Kernel: 3, BatchNorm: true, Activation: arch.SiLU, Pool: halve}
	g.Latent.Activation, g.Optimizer, g.Schedule, g.Rate = "", arch.Adam, arch.OneCycle, 0.5+0.3*rng.Float64()
	if s.Name == Paper {
		block.Activation, block.Pool, g.Schedule = arch.ReLU, MaxPool, arch.Constant
	}
	filters := g.Blocks[0].Filters
	for i, b := range g.Blocks {
		block.Active, block.Filters = b.Active, filters
		g.Blocks[i] = block
		if (b.Active || i == 0) && 2*filters <= s.MaxFilters {
			filters *= 2
		}
	}
	return g
}

// Widest is a copy of g with the most channels in its latent that are allowed; g where none
// is, or where the space has no such gene.
func (s Space) Widest(g Genome, allowed func(Genome) bool) Genome {
	if s.Name == Paper {
		return g
	}
	wide := g.Clone()
	for _, f := range slices.Backward(s.latentFilters()) {
		if wide.Latent.Filters = f; allowed(wide) {
			return wide
		}
	}
	return g
}

// Retrain is a copy of g with another recipe: one gene of it at least is drawn anew.
func (s Space) Retrain(g Genome, rng *rand.Rand) Genome {
	g = g.Clone()
	recipe := []string{"optimizer", "rate", "schedule"}
	sure := recipe[rng.IntN(len(recipe))]
	for _, gene := range s.genes() {
		if gene.block < 0 && slices.Contains(recipe, gene.field) && (gene.field == sure || rng.IntN(2) == 0) {
			gene.redraw(&g, rng)
		}
	}
	return g
}

// Crossover is the child that has a's genes up to a point, drawn uniformly so
// that each parent gives at least one gene, and b's from there on.
func (s Space) Crossover(a, b Genome, rng *rand.Rand) Genome {
	child := a.Clone()
	genes := s.genes()
	for _, gene := range genes[1+rng.IntN(len(genes)-1):] {
		gene.copy(&child, &b)
	}
	return child
}

// poisson draws by Knuth's product of uniforms.
func poisson(mean float64, rng *rand.Rand) int {
	limit, k := math.Exp(-mean), 0
	for p := rng.Float64(); p > limit; p *= rng.Float64() {
		k++
	}
	return k
}

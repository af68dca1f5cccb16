package genome

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"moncae/internal/arch"
)

// The spaces by name.
const (
	Paper    = "paper"    // MONCAE's own
	Extended = "extended" // ours
)

// Space is the set of genomes that a search draws from.
type Space struct {
	Name       string `json:"name"`
	MaxBlocks  int    `json:"max_blocks"`
	MaxFilters int    `json:"max_filters"`
	// Rates are the learning rates of the extended space: HighRates, or those that it had
	// before there was a choice.
	Rates string `json:"rates,omitempty"`
	// ToPixel lets poolings halve sides of 2, so that a latent may be a single pixel. The
	// paper's space, and older runs, pool sides of 3 and more.
	ToPixel bool `json:"to_pixel,omitempty"`
	// Transpose mirrors convolutions that move by 2 by transposed ones where the latent has
	// transposedFrom channels and more. The paper's space, and older runs, have none.
	Transpose bool `json:"transpose,omitempty"`
}

// HighRates are those that networks learn most by within some hundred steps.
const HighRates = "high"

// Named is the space with another name, as new runs have it.
func (s Space) Named(name string) Space {
	s.Name, s.Rates, s.ToPixel, s.Transpose = name, "", name == Extended, name == Extended
	if name == Extended {
		s.Rates = HighRates
	}
	return s
}

// Limits of the spaces.
const (
	paperBlocks, extendedBlocks = 6, 8
	leastFilters, mostFilters   = 4, 128
	// Of networks that differ in nothing else, those with fewer channels in the latent are
	// better with convolutions and upsamplings, which see more of its neighbouring pixels.
	transposedFrom = 4
)

// Validate tells everything that is wrong with the space, joined.
func (s Space) Validate() error {
	var errs []error
	blocks := extendedBlocks
	switch s.Name {
	case Paper:
		blocks = paperBlocks
	case Extended:
	default:
		errs = append(errs, fmt.Errorf("space %q is unknown: it is %s or %s", s.Name, Paper, Extended))
	}
	if s.Rates != "" && (s.Rates != HighRates || s.Name != Extended) {
		errs = append(errs, fmt.Errorf("learning rates %q: the space %s of a run has %q or none", s.Rates, Extended, HighRates))
	}
	if s.ToPixel && s.Name != Extended {
		errs = append(errs, fmt.Errorf("poolings to a pixel: the space %s alone has them", Extended))
	}
	if s.Transpose && s.Name != Extended {
		errs = append(errs, fmt.Errorf("transposed convolutions: the space %s alone has them", Extended))
	}
	if s.MaxBlocks < 1 || s.MaxBlocks > blocks {
		errs = append(errs, fmt.Errorf("at most %d layers: the space %q takes 1 to %d", s.MaxBlocks, s.Name, blocks))
	}
	if s.MaxFilters < leastFilters || s.MaxFilters > mostFilters {
		errs = append(errs, fmt.Errorf("at most %d filters: it takes %d to %d", s.MaxFilters, leastFilters, mostFilters))
	}
	return errors.Join(errs...)
}

// Check tells why g, read from somewhere, is none of the space's genomes.
func (s Space) Check(g Genome) error {
	if len(g.Blocks) != s.MaxBlocks {
		return fmt.Errorf("%d blocks, the space has %d", len(g.Blocks), s.MaxBlocks)
	}
	for _, gene := range s.genes() {
		if !gene.valid(&g) {
			return gene.refuse(s)
		}
	}
	return nil
}

// refuse tells which values the gene has in the space.
func (g gene) refuse(s Space) error {
	place := "the network"
	if g.block >= 0 {
		place = fmt.Sprintf("block %d", g.block)
	}
	choices := "numbers from 0 to 1, 1 excluded"
	if g.choices != nil {
		choices = strings.Trim(fmt.Sprint(g.choices()), "[]")
	}
	return fmt.Errorf("%s: its %s is none of the space %s, which has %s", place, g.field, s.Name, choices)
}

// Alike tells whether a genome means the same network in both spaces, if both have it.
func (s Space) Alike(o Space) bool {
	o.MaxBlocks, o.MaxFilters = s.MaxBlocks, s.MaxFilters
	return s == o
}

// Widen is g with as many inactive blocks more as the space has.
func (s Space) Widen(g Genome) Genome {
	g = g.Clone()
	for len(g.Blocks) < s.MaxBlocks {
		g.Blocks = append(g.Blocks, Block{Filters: leastFilters, Kernel: 3, Activation: arch.ReLU, Pool: NoPool})
	}
	return g
}

// gene is one place of the chromosome. Its closures work on any genome of the space.
type gene struct {
	block  int    // −1 for genes of the whole network
	field  string // its name in the block, or in the network
	copy   func(to, from *Genome)
	redraw func(*Genome, *rand.Rand) // another value, uniformly, where there is one
	draw   func(*Genome, *rand.Rand)
	valid  func(*Genome) bool
	set    func(*Genome, json.RawMessage) error // without a look at valid
	first  func(*Genome)                        // the first of the options
	// choices are the options, numbers ascending; nil for a number between 0 and 1.
	choices func() []any
	rare    bool // see rarely
}

// choice is a gene with a list of options, drawn uniformly.
func choice[T comparable](block int, name string, field func(*Genome) *T, options ...T) gene {
	return gene{
		block:   block,
		field:   name,
		set:     func(g *Genome, value json.RawMessage) error { return json.Unmarshal(value, field(g)) },
		first:   func(g *Genome) { *field(g) = options[0] },
		choices: func() []any { return sorted(options) },
		copy:    func(to, from *Genome) { *field(to) = *field(from) },
		draw:    func(g *Genome, r *rand.Rand) { *field(g) = options[r.IntN(len(options))] },
		valid:   func(g *Genome) bool { return slices.Contains(options, *field(g)) },
		redraw: func(g *Genome, r *rand.Rand) {
			var others []T
			for _, o := range options {
				if o != *field(g) {
					others = append(others, o)
				}
			}
			if len(others) > 0 {
				*field(g) = others[r.IntN(len(others))]
			}
		},
	}
}

// Rarely is the chance of dropout in a block of the extended space, when it is
// drawn and when it is mutated. A uniform draw would leave one network of three
// blocks in 216 without any, and dropout costs an autoencoder more than anything
// else that a block can have.
const Rarely = 0.1

// rarely is a gene that is off but for the chance Rarely.
func rarely(g gene, off func(*Genome)) gene {
	on := g.redraw // from off: one of the other values
	g.rare = true
	g.draw = func(x *Genome, r *rand.Rand) {
		off(x)
		if r.Float64() < Rarely {
			on(x, r)
		}
	}
	g.redraw = g.draw
	return g
}

// chromosomes are the genes of spaces that were asked for: a draw needs them all, and
// making them takes longer than it.
var chromosomes sync.Map

// genes is the chromosome in order: block by block, the latent, the training.
func (s Space) genes() []gene {
	genes, ok := chromosomes.Load(s)
	if !ok {
		genes, _ = chromosomes.LoadOrStore(s, s.chromosome())
	}
	return genes.([]gene)
}

func (s Space) chromosome() []gene {
	var genes []gene
	for i := range s.MaxBlocks {
		genes = append(genes, s.blockGenes(i)...)
	}
	if s.Name == Extended {
		genes = append(genes,
			choice(-1, "latent.filters", func(g *Genome) *int { return &g.Latent.Filters }, s.latentFilters()...),
			choice(-1, "latent.activation", func(g *Genome) *arch.Activation { return &g.Latent.Activation }, "", arch.ReLU, arch.Sigmoid))
	}
	optimizers := []arch.Optimizer{arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta}
	schedules := []arch.Schedule{arch.Constant}
	if s.Name == Extended {
		optimizers = append(optimizers, arch.SGD)
		schedules = append(schedules, arch.OneCycle, arch.Cosine)
	}
	return append(genes,
		choice(-1, "optimizer", func(g *Genome) *arch.Optimizer { return &g.Optimizer }, optimizers...),
		rate(),
		choice(-1, "schedule", func(g *Genome) *arch.Schedule { return &g.Schedule }, schedules...))
}

// rate is the gene of the learning rate, drawn uniformly.
func rate() gene {
	draw := func(g *Genome, r *rand.Rand) { g.Rate = r.Float64() }
	return gene{
		block:  -1,
		field:  "rate",
		copy:   func(to, from *Genome) { to.Rate = from.Rate },
		redraw: draw,
		draw:   draw,
		valid:  func(g *Genome) bool { return g.Rate >= 0 && g.Rate < 1 },
		set:    func(g *Genome, value json.RawMessage) error { return json.Unmarshal(value, &g.Rate) },
	}
}

func (s Space) blockGenes(i int) []gene {
	kernels := []int{3, 5, 7}
	activations := []arch.Activation{arch.ReLU, arch.Sigmoid}
	pools := []Pool{MaxPool, NoPool}
	dropout := choice(i, "dropout", func(g *Genome) *float64 { return &g.Blocks[i].Dropout }, 0, 0.1, 0.2, 0.3, 0.4, 0.5)
	skips := []bool{false}
	if s.Name == Extended {
		kernels = append(kernels, 1)
		activations = append(activations, arch.LeakyReLU, arch.ELU, arch.SiLU)
		pools = append(pools, Strided)
		dropout = rarely(dropout, func(g *Genome) { g.Blocks[i].Dropout = 0 })
		skips = append(skips, true)
	}
	active := []bool{true}
	if i > 0 {
		active = append(active, false)
	}
	return []gene{
		choice(i, "active", func(g *Genome) *bool { return &g.Blocks[i].Active }, active...),
		choice(i, "filters", func(g *Genome) *int { return &g.Blocks[i].Filters }, s.filters()...),
		choice(i, "kernel", func(g *Genome) *int { return &g.Blocks[i].Kernel }, kernels...),
		choice(i, "batch_norm", func(g *Genome) *bool { return &g.Blocks[i].BatchNorm }, true, false),
		choice(i, "activation", func(g *Genome) *arch.Activation { return &g.Blocks[i].Activation }, activations...),
		dropout,
		choice(i, "pool", func(g *Genome) *Pool { return &g.Blocks[i].Pool }, pools...),
		choice(i, "skip", func(g *Genome) *bool { return &g.Blocks[i].Skip }, skips...),
	}
}

func (s Space) filters() []int {
	var fs []int
	for f := leastFilters; f <= s.MaxFilters; f *= 2 {
		fs = append(fs, f)
	}
	return fs
}

// latentFilters are the channels that a latent may have.
func (s Space) latentFilters() []int {
	var fs []int
	for _, f := range []int{1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128} {
		if f <= s.MaxFilters {
			fs = append(fs, f)
		}
	}
	return fs
}

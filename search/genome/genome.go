// Package genome is what evolution works on: a space of genomes, how they are
// drawn, mutated and crossed, and how one is decoded to a network and its
// training recipe.
//
// The package is pure: no I/O, no clock, and randomness only from the generator
// that a caller passes. Every operation costs time linear in the number of
// genes; nothing the size of a network is allocated.
//
// A genome keeps the genes of inactive blocks too, so that a block that comes
// back comes back as it was. Decoding leaves out whatever has no effect, so two
// genomes that differ in inert genes alone decode to the same arch.Identity.
package genome

import "moncae/internal/arch"

// Genome is one candidate as evolution sees it. The JSON form is what a run's
// journal holds.
type Genome struct {
	Blocks []Block `json:"blocks"`
	// Latent is the last active block's output; the paper's space has none of its
	// own and leaves it zero.
	Latent    Latent         `json:"latent,omitzero"`
	Optimizer arch.Optimizer `json:"optimizer"`
	// Rate is the learning rate's place on the optimiser's logarithmic scale, in
	// [0, 1): it stays meaningful when the optimiser changes.
	Rate     float64       `json:"rate"`
	Schedule arch.Schedule `json:"schedule"`
}

// Block is a convolution of the encoder with what follows it, mirrored in the
// decoder.
type Block struct {
	Active     bool            `json:"active"` // the first block always is
	Filters    int             `json:"filters"`
	Kernel     int             `json:"kernel"`
	BatchNorm  bool            `json:"batch_norm"`
	Activation arch.Activation `json:"activation"`
	Dropout    float64         `json:"dropout"`
	Pool       Pool            `json:"pool"`
	Skip       bool            `json:"skip"`
}

// Latent is the gene pair of the latent: its channels, and the activation that
// makes it ("" is linear).
type Latent struct {
	Filters    int             `json:"filters"`
	Activation arch.Activation `json:"activation"`
}

// Pool is how a block halves its sides.
type Pool string

// The poolings. All but NoPool act only where both sides are at least 3, in the
// extended space at least 2.
const (
	NoPool  Pool = "none"
	MaxPool Pool = "max"    // 2×2 maximum after the block
	Strided Pool = "stride" // the block's convolution moves by 2
)

// Clone is a deep copy.
func (g Genome) Clone() Genome {
	g.Blocks = append([]Block(nil), g.Blocks...)
	return g
}

// Active are the places of the active blocks, ascending.
func (g Genome) Active() []int {
	var places []int
	for i, b := range g.Blocks {
		if i == 0 || b.Active {
			places = append(places, i)
		}
	}
	return places
}

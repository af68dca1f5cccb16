// Package algorithm decides which candidates a search trains: one file an
// algorithm, behind ask and tell.
//
// A search has Population·Generations places, numbered from 0. Ask(k) says what
// place k is for, once the first Sees(k) places have been told, in their order.
// So a decision is a pure function of the problem and of a fixed window of
// results; the order in which trainings end, and how many run at once, are not
// known here.
//
// The package is pure: no I/O, no clock, and every random number follows from
// Problem.Seed and the place. An Ask of the evolutionary algorithms costs
// microseconds, and one of EHVI some ten milliseconds (see there).
package algorithm

import (
	"fmt"

	"moncae/internal/arch"
	"moncae/search/genome"
	"moncae/search/moo"
	"moncae/search/surrogate"
)

// The algorithms.
const (
	Moncae  = "moncae"   // roulette on rank-weighted contributions, elites, crossover, mutation
	SMSEMOA = "sms-emoa" // survivors by contribution; parents uniformly
	NSGA2   = "nsga2"    // survivors by crowding; parents by tournament
	Random  = "random"   // no selection: the control
	EHVI    = "ehvi"     // a model of what was told; the largest expected gain of hypervolume
)

// Names are the algorithms that New makes.
var Names = []string{EHVI, Moncae, SMSEMOA, NSGA2, Random}

// Algorithm is a search's course. It is asked for the places in order.
type Algorithm interface {
	// Sees is how many places are told before place k is asked for; at most k, and
	// never fewer than for the place before.
	Sees(k int) int
	// Ask says what place k is for.
	Ask(k int) Proposal
	// Tell gives the result of the next place: that of the candidate proposed, or of
	// the one that the proposal names.
	Tell(Trial)
	// Population are the ids of those that the next decisions build on, as of the
	// places told.
	Population() []string
}

// Problem is what an algorithm works on.
type Problem struct {
	Space                   genome.Space
	Population, Generations int
	// Spread is how many genomes are drawn for a place of the first generation; the
	// one whose latent size is farthest from those before takes it.
	Spread int
	// First are genomes that take the first generation's first places, each network once.
	First []genome.Genome
	Seed  func(place int) uint64
	ID    func(place int) string
	// Window is how many candidates may be under way when a place is asked for, for
	// algorithms that decide place by place.
	Window     int
	Reference  moo.Point
	Objectives []Objective // as in Reference
	// Bounded is that no objective counts a latent's size, but a bound does: the best have
	// as many values as it allows, and differ in their shapes.
	Bounded bool
	// Describe is what a genome's network is like; an error says why it is refused.
	Describe func(genome.Genome) (*Network, error)
	// Inherit has children begin with their mothers' weights, and be trained for so many
	// Epochs.
	Inherit bool
	Epochs  int
}

// Objective is one of those that are minimised.
type Objective struct {
	Name  string
	Exact func(arch.Arch) float64 // nil where a training decides it
	// How it is guessed then.
	Target surrogate.Target
	Prior  surrogate.Prior
}

// Network is what is known of a candidate before its training.
type Network struct {
	Arch     arch.Arch
	Recipe   arch.Recipe
	Identity string // arch.Identity
}

// Proposal is what a place is for.
type Proposal struct {
	// Known is the id of the candidate whose result the place takes; what follows is
	// empty then.
	Known   string
	Origin  string // OriginRandom, OriginChild or OriginGiven
	Parents []string
	// Inherited is what its training begins with; nil: with weights that are drawn.
	Inherited *Inherited
	Genome    genome.Genome
	Network   *Network // nil where it is refused
	Refusal   string
	// Forecast is what a model expects of it; nil where none was asked.
	Forecast *Forecast
}

// Forecast is what was expected of a candidate before its training.
type Forecast struct {
	Gain   float64            `json:"gain"`   // of hypervolume, the mean
	Values map[string]float64 `json:"values"` // of the guessed objectives, the medians
}

// Where genomes come from.
const (
	OriginRandom = "random"
	OriginChild  = "child"
	OriginGiven  = "given"
)

// Trial is a place's candidate with its result.
type Trial struct {
	ID       string
	Genome   genome.Genome
	Identity string    // "" where the genome makes no network
	Point    moo.Point // its objectives; nil for no score
	Epochs   int       // that led to its weights, in all trainings
}

// New begins an algorithm by its name.
func New(name string, p Problem) Algorithm {
	switch name {
	case Moncae:
		return &moncae{generational: newGenerational(p)}
	case SMSEMOA:
		return &smsemoa{newGenerational(p)}
	case NSGA2:
		return &nsga2{newGenerational(p)}
	case Random:
		return &random{newGenerational(p)}
	case EHVI:
		return newEHVI(p)
	}
	panic(fmt.Sprintf("algorithm: %q is unknown", name))
}

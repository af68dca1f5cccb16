// Package moo is the geometry of several objectives at once: dominance,
// non-dominated fronts, the hypervolume and every point's exclusive share of
// it, and the selections that evolution builds on them.
//
// All objectives are minimised. The package is pure float64 arithmetic: no
// I/O, no clock, and randomness only from the generator that a caller passes.
// Functions take points by value, answer with indices into what they were
// given, and break ties by the lower index, so results are repeatable.
//
// A coordinate that is NaN counts as +Inf, worse than any number. Points of
// different lengths, or a reference of another length, are a bug and panic.
//
// Costs, for n points and d objectives: Fronts O(d·n²), Hypervolume and
// Contributions O(n^(d−1)) and O(n log n) for d = 2.
package moo

import (
	"fmt"
	"math"
)

// Point is one candidate's objectives.
type Point []float64

// at is coordinate i, with NaN as +Inf.
func (p Point) at(i int) float64 {
	if math.IsNaN(p[i]) {
		return math.Inf(1)
	}
	return p[i]
}

// Dominates tells whether p is nowhere worse than q and somewhere better.
// Equal points don't dominate each other.
func (p Point) Dominates(q Point) bool {
	mustMatch(p, q)
	better := false
	for i := range p {
		a, b := p.at(i), q.at(i)
		if a > b {
			return false
		}
		better = better || a < b
	}
	return better
}

// Better tells whether p is strictly smaller than ref in every objective: only
// such points add to a hypervolume.
func (p Point) Better(ref Point) bool {
	mustMatch(p, ref)
	for i := range p {
		if !(p.at(i) < ref[i]) {
			return false
		}
	}
	return true
}

func mustMatch(p, q Point) {
	if len(p) != len(q) || len(p) == 0 {
		panic(fmt.Sprintf("moo: points of %d and %d objectives", len(p), len(q)))
	}
}

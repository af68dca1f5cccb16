package moo

import "slices"

// Archive is the front of the points that it was given so far, and its hypervolume.
type Archive struct {
	Reference Point
	Volume    float64
	front     []Point
}

// Add tells whether a point joins the front: it is better than the reference, and nothing
// there dominates or equals it.
func (a *Archive) Add(p Point) bool {
	if !p.Better(a.Reference) || slices.ContainsFunc(a.front, func(q Point) bool { return q.Dominates(p) || slices.Equal(p, q) }) {
		return false
	}
	a.front = append(slices.DeleteFunc(a.front, p.Dominates), p)
	a.Volume = Hypervolume(a.front, a.Reference)
	return true
}

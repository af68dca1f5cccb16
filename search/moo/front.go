package moo

import "math"

// Fronts sorts points into non-dominated ranks: Fronts(ps)[0] holds the indices
// of the points that nothing dominates, Fronts(ps)[r] those that only points of
// lower ranks dominate. Equal points share a rank. Indices ascend within a rank.
func Fronts(ps []Point) [][]int {
	dominated := make([]int, len(ps)) // by how many of the points not yet ranked
	beats := make([][]int, len(ps))
	for i := range ps {
		for j := range ps {
			if i != j && ps[i].Dominates(ps[j]) {
				beats[i] = append(beats[i], j)
				dominated[j]++
			}
		}
	}
	var fronts [][]int
	for left := len(ps); left > 0; {
		var front []int
		for i, d := range dominated {
			if d == 0 {
				front = append(front, i)
			}
		}
		for _, i := range front {
			dominated[i] = -1
			for _, j := range beats[i] {
				dominated[j]--
			}
		}
		fronts = append(fronts, front)
		left -= len(front)
	}
	return fronts
}

// NonDominated gives the indices of the points that nothing dominates. Of equal
// points the first stands for all.
func NonDominated(ps []Point) []int {
	var front []int
	for i, p := range ps {
		keep := true
		for j, q := range ps {
			if q.Dominates(p) || j < i && equal(p, q) {
				keep = false
				break
			}
		}
		if keep {
			front = append(front, i)
		}
	}
	return front
}

func equal(p, q Point) bool {
	for i := range p {
		if p.at(i) != q.at(i) {
			return false
		}
	}
	return true
}

// Knee is the index of the point that lies farthest below the line through the
// front's ends when every axis is scaled to [0, 1] over the front. With more
// than two objectives the line is the plane through the unit points. An axis on
// which all points agree counts nothing. It is −1 for no points.
func Knee(front []Point) int {
	if len(front) == 0 {
		return -1
	}
	lo, hi := ranges(front)
	knee, least := 0, math.Inf(1)
	for i, p := range front {
		sum := 0.0
		for k := range p {
			if span := hi[k] - lo[k]; span > 0 && !math.IsInf(span, 1) {
				sum += (p.at(k) - lo[k]) / span
			}
		}
		if sum < least {
			knee, least = i, sum
		}
	}
	return knee
}

// ranges are the least and largest values of every objective.
func ranges(ps []Point) (lo, hi Point) {
	lo, hi = make(Point, len(ps[0])), make(Point, len(ps[0]))
	for k := range lo {
		lo[k], hi[k] = math.Inf(1), math.Inf(-1)
		for _, p := range ps {
			lo[k], hi[k] = min(lo[k], p.at(k)), max(hi[k], p.at(k))
		}
	}
	return lo, hi
}

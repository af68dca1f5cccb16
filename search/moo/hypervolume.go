package moo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Hypervolume is the volume of what the points dominate, up to the reference
// point: exact, in the product of the objectives' units.
//
// A point that is not strictly better than ref in every objective adds nothing;
// no points give 0. A point at −Inf in some objective makes it +Inf. ref must
// be finite.
func Hypervolume(ps []Point, ref Point) float64 {
	total, _ := measure(ps, ref)
	return total
}

// Contributions are the volumes that each point alone dominates:
// Hypervolume(ps) less the hypervolume without that point. Equal points have
// none, for either covers for the other; nor have dominated points, and points
// that are not strictly better than ref.
func Contributions(ps []Point, ref Point) []float64 {
	_, alone := measure(ps, ref)
	return alone
}

// measure slices space by one objective after the other (hypervolume by slicing
// objectives: Zitzler 2001, While et al. 2006): between two neighbouring values
// of an objective the same points are at work, so the slab's volume is its depth
// times a volume of one dimension less. Only products and sums of non-negative
// terms occur, so nothing cancels.
func measure(ps []Point, ref Point) (total float64, alone []float64) {
	for _, r := range ref {
		if math.IsNaN(r) || math.IsInf(r, 0) {
			panic(fmt.Sprintf("moo: reference point %v is not finite", ref))
		}
	}
	alone = make([]float64, len(ps))
	var inside []int
	for i, p := range ps {
		if p.Better(ref) {
			inside = append(inside, i)
		}
	}
	if len(inside) == 0 {
		return 0, alone
	}
	slices.SortStableFunc(inside, func(i, j int) int { return cmp.Compare(ps[i][0], ps[j][0]) })
	m := slicer{ps, ref, alone}
	return m.slice(inside, len(ref)-1, 1), alone
}

type slicer struct {
	ps    []Point
	ref   Point
	alone []float64
}

// slice measures objectives 0 … last of the points is, which ascend in
// objective 0, adds their exclusive shares times depth to alone, and returns
// the volume times depth.
func (m slicer) slice(is []int, last int, depth float64) float64 {
	switch last {
	case 0:
		return m.line(is, depth)
	case 1:
		return m.sweep(is, depth)
	}
	levels := make([]float64, 0, len(is)+1)
	for _, i := range is {
		levels = append(levels, m.ps[i][last])
	}
	slices.Sort(levels)
	levels = append(slices.Compact(levels), m.ref[last])
	volume := 0.0
	active := make([]int, 0, len(is))
	for k, level := range levels[:len(levels)-1] {
		active = active[:0]
		for _, i := range is {
			if m.ps[i][last] <= level {
				active = append(active, i)
			}
		}
		volume += m.slice(active, last-1, times(depth, levels[k+1]-level))
	}
	return volume
}

// line is slice for one objective.
func (m slicer) line(is []int, depth float64) float64 {
	first := m.ps[is[0]][0]
	second := m.ref[0]
	if len(is) > 1 {
		second = m.ps[is[1]][0]
	}
	if second > first {
		m.alone[is[0]] += times(depth, second-first)
	}
	return times(depth, m.ref[0]-first)
}

// sweep is slice for two objectives: from one value of objective 0 to the next,
// the area belongs to the point that is lowest in objective 1, alone up to the
// second lowest.
func (m slicer) sweep(is []int, depth float64) float64 {
	volume := 0.0
	lowest, second, owner := m.ref[1], m.ref[1], -1
	for k, i := range is {
		if y := m.ps[i][1]; y < lowest {
			lowest, second, owner = y, lowest, i
		} else {
			second = min(second, y)
		}
		x, next := m.ps[i][0], m.ref[0]
		if k+1 < len(is) {
			next = m.ps[is[k+1]][0]
		}
		if next > x {
			wide := times(depth, next-x)
			volume += times(wide, m.ref[1]-lowest)
			if second > lowest {
				m.alone[owner] += times(wide, second-lowest)
			}
		}
	}
	return volume
}

// times is a product in which nothing times infinity is nothing.
func times(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	return a * b
}

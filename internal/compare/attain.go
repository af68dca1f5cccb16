package compare

import (
	"cmp"
	"math"
	"slices"

	"moncae/search/moo"
)

// Surface is what so many of a group's searches attain (Grunert da Fonseca, Fonseca
// and Hall 2001): for two objectives, the points [first, second] of its corners by
// rising second. From one to the next, the first objective's value stays.
type Surface struct {
	Searches int          `json:"runs"`
	Points   [][2]float64 `json:"points"`
}

// attainment are a group's surfaces of one search, of a quarter, of half, of three
// quarters and of all, those that differ; nil for other than two objectives.
func (g Group) attainment() []Surface {
	if len(g.Searches[0].Reference) != 2 {
		return nil
	}
	fronts := make([][]moo.Point, len(g.Searches))
	var second []float64
	for i, s := range g.Searches {
		fronts[i] = s.front()
		for _, p := range fronts[i] {
			second = append(second, p[1])
		}
	}
	slices.Sort(second)
	second = slices.Compact(second)
	n := len(fronts)
	counts := []int{1, (n + 3) / 4, (n + 1) / 2, (3*n + 3) / 4, n}
	surfaces := []Surface{}
	for _, k := range slices.Compact(counts) {
		surfaces = append(surfaces, Surface{k, surface(fronts, second, k)})
	}
	return surfaces
}

// Median is the surface of half of the searches; without points for other than two
// objectives.
func (s Summary) Median() Surface {
	for _, f := range s.Attainment {
		if f.Searches == (len(s.Runs)+1)/2 {
			return f
		}
	}
	return Surface{}
}

// front are the search's points that none dominates, by rising second objective.
func (s Search) front() []moo.Point {
	var able []moo.Point
	for _, t := range s.Trials {
		if t.Point != nil && t.Point.Better(s.Reference) {
			able = append(able, t.Point)
		}
	}
	var front []moo.Point
	for _, i := range moo.NonDominated(able) {
		front = append(front, able[i])
	}
	slices.SortFunc(front, func(a, b moo.Point) int { return cmp.Compare(a[1], b[1]) })
	return front
}

// surface has the corners of what k of the fronts attain: at each value of the
// second objective, the k-th smallest of what they have in the first.
func surface(fronts [][]moo.Point, second []float64, k int) [][2]float64 {
	corners, last := [][2]float64{}, math.Inf(1)
	best := make([]float64, len(fronts))
	for _, y := range second {
		for i, f := range fronts {
			best[i] = math.Inf(1)
			for _, p := range f {
				if p[1] <= y {
					best[i] = min(best[i], p[0])
				}
			}
		}
		slices.Sort(best)
		if x := best[k-1]; x < last {
			corners, last = append(corners, [2]float64{x, y}), x
		}
	}
	return corners
}

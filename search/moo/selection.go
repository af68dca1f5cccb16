package moo

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Share is what every member of a rank has of the rank's hypervolume on top of
// its own contribution in RouletteWeights, so that no member is out of reach.
const Share = 1e-3

// RouletteWeights are MONCAE's chances of becoming a parent; they sum to 1.
// Within a non-dominated rank a point weighs its exclusive hypervolume within
// that rank plus Share of the rank's whole, and rank r (the first is 0) has
// 2^−r times the chances of the first. A rank beyond the reference is drawn
// uniformly.
func RouletteWeights(ps []Point, ref Point) []float64 {
	w := make([]float64, len(ps))
	total := 0.0
	for r, front := range Fronts(ps) {
		members := pick(ps, front)
		volume, alone := measure(members, ref)
		sum := 0.0
		for k := range alone {
			alone[k] += Share * volume
			sum += alone[k]
		}
		chances := math.Exp2(-float64(r))
		total += chances
		for k, i := range front {
			if sum > 0 && !math.IsInf(sum, 1) {
				w[i] = chances * alone[k] / sum
			} else {
				w[i] = chances / float64(len(front))
			}
		}
	}
	for i := range w {
		w[i] /= total
	}
	return w
}

// Roulette draws an index with the given weights, which sum to 1 or less by
// rounding alone.
func Roulette(weights []float64, rng *rand.Rand) int {
	u := rng.Float64()
	last := 0
	for i, w := range weights {
		if u < w {
			return i
		}
		u -= w
		if w > 0 {
			last = i
		}
	}
	return last
}

// Elites are the k points of the first rank with the largest contributions, in
// falling order; fewer where the rank is smaller.
func Elites(ps []Point, ref Point, k int) []int {
	if len(ps) == 0 {
		return nil
	}
	front := Fronts(ps)[0]
	alone := Contributions(pick(ps, front), ref)
	order := make([]int, len(front))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(alone[b], alone[a]) })
	elites := make([]int, 0, k)
	for _, o := range order[:min(k, len(order))] {
		elites = append(elites, front[o])
	}
	return elites
}

// SurviveSMS are the k survivors of SMS-EMOA (Beume, Naujoks and Emmerich
// 2007): whole ranks are kept from the best on; from the first rank that doesn't
// fit, the point with the least contribution within it leaves, one at a time.
// Contributions are measured to ref, the run's own reference. Indices ascend.
func SurviveSMS(ps []Point, ref Point, k int) []int {
	return survive(ps, k, func(front []int, room int) []int {
		front = slices.Clone(front)
		for len(front) > room {
			alone := Contributions(pick(ps, front), ref)
			worst := 0
			for i, v := range alone {
				if v <= alone[worst] {
					worst = i
				}
			}
			front = slices.Delete(front, worst, worst+1)
		}
		return front
	})
}

// SurviveNSGA2 are the k survivors of NSGA-II (Deb et al. 2002): whole ranks
// from the best on, and of the first that doesn't fit the points with the
// largest crowding distances. Indices ascend.
func SurviveNSGA2(ps []Point, k int) []int {
	return survive(ps, k, func(front []int, room int) []int {
		crowding := Crowding(pick(ps, front))
		order := make([]int, len(front))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(crowding[b], crowding[a]) })
		kept := make([]int, 0, room)
		for _, o := range order[:room] {
			kept = append(kept, front[o])
		}
		return kept
	})
}

func survive(ps []Point, k int, cut func(front []int, room int) []int) []int {
	var kept []int
	for _, front := range Fronts(ps) {
		room := k - len(kept)
		if room <= 0 {
			break
		}
		if len(front) > room {
			front = cut(front, room)
		}
		kept = append(kept, front...)
	}
	slices.Sort(kept)
	return kept
}

// Crowding is NSGA-II's crowding distance of the points of one rank: over the
// objectives, the sum of the gaps between a point's neighbours, in units of the
// rank's range. The ends of every objective have +Inf.
func Crowding(front []Point) []float64 {
	d := make([]float64, len(front))
	if len(front) == 0 {
		return d
	}
	lo, hi := ranges(front)
	order := make([]int, len(front))
	for k := range front[0] {
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(front[a].at(k), front[b].at(k)) })
		d[order[0]], d[order[len(order)-1]] = math.Inf(1), math.Inf(1)
		span := hi[k] - lo[k]
		if !(span > 0) || math.IsInf(span, 0) {
			continue
		}
		for j := 1; j+1 < len(order); j++ {
			d[order[j]] += (front[order[j+1]].at(k) - front[order[j-1]].at(k)) / span
		}
	}
	return d
}

// Tournament draws two indices and gives the one of the lower rank, or of the
// larger crowding distance where ranks agree: NSGA-II's choice of a parent.
func Tournament(rank []int, crowding []float64, rng *rand.Rand) int {
	a, b := rng.IntN(len(rank)), rng.IntN(len(rank))
	if rank[b] < rank[a] || rank[b] == rank[a] && crowding[b] > crowding[a] {
		return b
	}
	return a
}

// Crowded are the rank of every point and its crowding distance within it.
func Crowded(ps []Point) (rank []int, crowding []float64) {
	rank, crowding = make([]int, len(ps)), make([]float64, len(ps))
	for r, front := range Fronts(ps) {
		d := Crowding(pick(ps, front))
		for k, i := range front {
			rank[i], crowding[i] = r, d[k]
		}
	}
	return rank, crowding
}

func pick(ps []Point, is []int) []Point {
	out := make([]Point, len(is))
	for k, i := range is {
		out[k] = ps[i]
	}
	return out
}

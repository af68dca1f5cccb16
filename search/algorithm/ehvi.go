package algorithm

import (
	"math"
	"math/rand/v2"
	"slices"

	"moncae/search/moo"
	"moncae/search/surrogate"
)

// ehvi trains, of many children, the one with the largest expected gain of
// hypervolume (Emmerich, Giannakoglou and Naujoks 2006). Only the objectives that
// a training decides are guessed, by a Gaussian process over what was told; the
// others are exact. A place that is asked for and not told counts as trained, with
// the result that is expected of it, so that neighbours differ.
//
// The first half of the first generation are usual networks (genome.Space.Usual), spread over
// latent sizes, or, where sizes are bounded, over sides: of those drawn, the quarter farthest
// from the places before, and of these the one that the prior thinks best. A model that has
// seen one size can't tell what the others are worth.
//
// An Ask costs some forty milliseconds of processor time after 80 trainings, and
// stays below half a second: the model learns from mostObserved at most.
type ehvi struct {
	problem  Problem
	guessed  []int      // the objectives that a training decides
	told     []Trial    // by place
	observed []observed // what the model learns from, of all places told
	sees     []int      // by place: how many observations it leaves
	asked    []Proposal // by place
}

// observed is a trained network: its features, and the level of every objective
// that is guessed.
type observed struct {
	features, levels []float64
	point            moo.Point // nil for a failure
}

// mostObserved is how many observations a model learns from: of more, half are those
// of the best ranks, and half the newest.
const mostObserved = 400

func newEHVI(p Problem) *ehvi {
	e := &ehvi{problem: p}
	for i, o := range p.Objectives {
		if o.Exact == nil {
			e.guessed = append(e.guessed, i)
		}
	}
	return e
}

func (e *ehvi) Sees(k int) int { return max(0, k-max(1, e.problem.Window)+1) }

// Tell keeps a result. A training that failed teaches that its like fails.
func (e *ehvi) Tell(t Trial) {
	if p := e.asked[len(e.told)]; p.Network != nil {
		o := observed{features: e.problem.features(p), point: t.Point}
		for _, i := range e.guessed {
			value := math.NaN()
			if t.Point != nil {
				value = t.Point[i]
			}
			o.levels = append(o.levels, e.problem.Objectives[i].Target.Level(value))
		}
		e.observed = append(e.observed, o)
	}
	e.told = append(e.told, t)
	e.sees = append(e.sees, len(e.observed))
}

// Population are the candidates of the last places told.
func (e *ehvi) Population() []string {
	var ids []string
	for _, t := range e.told[max(0, len(e.told)-e.problem.Population):] {
		ids = append(ids, t.ID)
	}
	return ids
}

func (e *ehvi) Ask(k int) Proposal {
	if p, ok := e.problem.given(k); ok && !e.has(p.Network) {
		e.asked = append(e.asked, p)
		return p
	}
	b := &brood{
		problem: e.problem, guessed: e.guessed, models: e.models(e.Sees(k)),
		rng: rand.New(rand.NewPCG(e.problem.Seed(k), 0)), known: map[string]bool{},
	}
	for _, p := range e.asked[:k] {
		if p.Network != nil {
			b.before = append(b.before, p.Network)
		}
	}
	b.take(e.told[:e.Sees(k)], e.asked[e.Sees(k):k])
	breed := b.breed
	if 2*k < e.problem.Population {
		breed = b.begin
	}
	p := breed()
	e.asked = append(e.asked, p)
	return p
}

// has tells whether a network was asked for.
func (e *ehvi) has(n *Network) bool {
	return n != nil && slices.ContainsFunc(e.asked, func(p Proposal) bool { return p.Network != nil && p.Network.Identity == n.Identity })
}

// models are the guesses that the first places told allow, one an objective.
func (e *ehvi) models(places int) []*surrogate.Process {
	n := 0
	if places > 0 {
		n = e.sees[places-1]
	}
	from := telling(e.observed[:n])
	x, y := make([][]float64, len(from)), make([]float64, len(from))
	var models []*surrogate.Process
	for g, i := range e.guessed {
		for k, o := range from {
			x[k], y[k] = o.features, o.levels[g]
		}
		models = append(models, surrogate.Fit(e.problem.Objectives[i].Prior, x, y))
	}
	return models
}

// telling are those of all observations, in order, that a model learns from.
func telling(all []observed) []observed {
	if len(all) <= mostObserved {
		return all
	}
	var ps []moo.Point
	var scored []int
	for i, o := range all {
		if o.point != nil {
			ps, scored = append(ps, o.point), append(scored, i)
		}
	}
	var best []int
	for _, rank := range moo.Fronts(ps) {
		for _, i := range rank {
			best = append(best, scored[i])
		}
	}
	taken := make([]bool, len(all))
	n := 0
	for _, i := range best[:min(mostObserved/2, len(best))] {
		taken[i], n = true, n+1
	}
	for i := len(all) - 1; n < mostObserved; i-- {
		if !taken[i] {
			taken[i], n = true, n+1
		}
	}
	var out []observed
	for i, o := range all {
		if taken[i] {
			out = append(out, o)
		}
	}
	return out
}

// volumes measures the gains of points over a front.
type volumes struct {
	front     []moo.Point
	reference moo.Point
	whole     float64
}

func measure(ps []moo.Point, reference moo.Point) volumes {
	v := volumes{reference: reference}
	for _, i := range moo.NonDominated(ps) {
		v.front = append(v.front, ps[i])
	}
	v.whole = moo.Hypervolume(v.front, reference)
	return v
}

// gain is what p adds to the hypervolume.
func (v volumes) gain(p moo.Point) float64 {
	if !p.Better(v.reference) {
		return 0
	}
	return moo.Hypervolume(append(v.front[:len(v.front):len(v.front)], p), v.reference) - v.whole
}

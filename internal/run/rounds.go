package run

import (
	"maps"
	"slices"

	"moncae/search/moo"
)

// Round is one of the search's own finetunings, which are numbered from 0. Those
// of Study.Finetune have the numbers after them.
type Round struct {
	Scope  string `json:"scope"`
	Epochs int    `json:"epochs"`
	Images int    `json:"images,omitempty"` // training images that it uses; 0: all
}

// Rounds are the finetunings of a search, in order.
func (f Finetune) Rounds() []Round {
	switch {
	case f.Epochs == 0:
		return f.Decided
	case f.Trial == 0:
		return []Round{{Scope: f.Scope, Epochs: f.Epochs}}
	}
	return []Round{{Scope: f.Scope, Epochs: min(f.Trial, f.Epochs)}, {Scope: ScopeFront, Epochs: f.Epochs}}
}

// Chosen are the candidates that a round of the search's own finetuning is for. It
// depends on what was measured before that round alone, so a resumed run goes on
// with the same candidates.
func (st *State) Chosen(c Config, reference moo.Point, number int) []*Candidate {
	before := st.before(number)
	front := Members(c, reference, st.Candidates, before)
	switch c.Finetune.Rounds()[number].Scope {
	case ScopePopulation:
		return union(front, st.Scored(st.Population))
	case ScopeSizes:
		return union(front, bestOfSizes(c, reference, st.Candidates, before))
	}
	return front
}

// before gives candidates' results as they were before a round of finetuning.
func (st *State) before(round int) func(*Candidate) *Result {
	last := map[string]*Result{}
	for _, f := range st.Finetunings {
		if f.Round < round && f.Result != nil {
			last[f.ID] = f.Result
		}
	}
	return func(c *Candidate) *Result {
		if r := last[c.ID]; r != nil {
			return r
		}
		return c.Search
	}
}

// bestOfSizes are, of every number of latent values, the first of the candidates
// with the smallest loss among those that could be members. Short trainings
// favour small latents: the larger ones, dominated now, may not be after a long one.
func bestOfSizes(c Config, reference moo.Point, candidates []*Candidate, value func(*Candidate) *Result) []*Candidate {
	best := map[int]*Candidate{}
	for _, cand := range able(c, reference, candidates, value) {
		n := cand.Latent.Values()
		if b := best[n]; b == nil || value(cand).Values[ObjectiveLoss] < value(b).Values[ObjectiveLoss] {
			best[n] = cand
		}
	}
	return inOrder(slices.Collect(maps.Values(best)))
}

func union(a, b []*Candidate) []*Candidate {
	seen := map[string]bool{}
	var all []*Candidate
	for _, c := range append(a[:len(a):len(a)], b...) {
		if !seen[c.ID] {
			seen[c.ID] = true
			all = append(all, c)
		}
	}
	return inOrder(all)
}

// finetuned tells whether the search's own finetuning is done.
func (st *State) finetuned(c Config, reference moo.Point) bool {
	for i := range c.Finetune.Rounds() {
		for _, m := range st.Chosen(c, reference, i) {
			if !st.HasFinetuned(m.ID, i) {
				return false
			}
		}
	}
	return true
}

// HasFinetuned tells whether a round of finetuning is done for a candidate.
func (st *State) HasFinetuned(id string, round int) bool {
	for _, f := range st.Finetunings {
		if f.ID == id && f.Round == round {
			return true
		}
	}
	return false
}

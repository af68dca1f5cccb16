package compare

import (
	"encoding/json"
	"math"

	"gonum.org/v1/gonum/stat"

	"moncae/internal/stats"
)

// Result is what comes of a comparison.
type Result struct {
	Budgets ByAxis[float64] `json:"budgets"` // the least that a search spent
	Groups  []Summary       `json:"groups"`
	Pairs   []Pair          `json:"pairs"`   // each two groups
	Reaches []Reach         `json:"reaches"` // each group and each other
}

// Summary is a group's part.
type Summary struct {
	Name       string               `json:"name"`
	Runs       []SearchSummary      `json:"runs"`
	Final      Distribution         `json:"final"` // hypervolume at the searches' own ends
	AtBudget   ByAxis[Distribution] `json:"at_budget"`
	Spent      ByAxis[float64]      `json:"spent"` // medians
	Attainment []Surface            `json:"attainment"`
}

// SearchSummary is a search's part.
type SearchSummary struct {
	Name      string          `json:"name"`
	Seed      *uint64         `json:"seed"`
	Reference []float64       `json:"reference"`
	Failed    int             `json:"failed"`
	Spent     ByAxis[float64] `json:"spent"`
	Final     float64         `json:"final"`
	AtBudget  ByAxis[float64] `json:"at_budget"`
	Curves    ByAxis[Curve]   `json:"curves"`
}

// Distribution is of hypervolumes over a group's searches.
type Distribution struct {
	Median    float64    `json:"median"`
	Mean      float64    `json:"mean"`
	Quartiles [2]float64 `json:"quartiles"`
}

// Pair compares two groups at equal budgets.
type Pair struct {
	A    string                 `json:"a"`
	B    string                 `json:"b"`
	Test ByAxis[stats.RankTest] `json:"test"`
	// Pairs of runs of one seed, those in which A's hypervolume is the larger, and the
	// test of their differences.
	Seeds  int                      `json:"seeds"`
	Better ByAxis[int]              `json:"better"`
	Paired ByAxis[stats.PairedTest] `json:"paired"`
}

// Reach tells when a group's searches reach the median final hypervolume of another.
type Reach struct {
	Group       string           `json:"group"`
	Of          string           `json:"of"`
	Hypervolume float64          `json:"hypervolume"`
	Reached     int              `json:"reached"` // searches that do, of Runs
	Runs        int              `json:"runs"`
	Spent       ByAxis[Measured] `json:"spent"` // medians over all of the group
	Share       ByAxis[Measured] `json:"share"` // of the medians that the other spent in all
}

// Measured is a number that infinite is null in JSON: never.
type Measured float64

// MarshalJSON writes the number, or null.
func (m Measured) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(m), 0) || math.IsNaN(float64(m)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(m))
}

// Of compares groups, of one search or more each, whose trials have points of the
// reference's length.
func Of(groups []Group) Result {
	r := Result{Pairs: []Pair{}, Reaches: []Reach{}}
	for _, g := range groups {
		s := Summary{Name: g.Name, Attainment: g.attainment()}
		for _, one := range g.Searches {
			s.Runs = append(s.Runs, one.summary())
		}
		s.Final = distribution(s.each(func(q SearchSummary) float64 { return q.Final }))
		s.Spent = byAxis(func(axis string) float64 {
			return stats.Median(s.each(func(q SearchSummary) float64 { return *q.Spent.On(axis) }))
		})
		r.Groups = append(r.Groups, s)
	}
	r.Budgets = byAxis(func(axis string) float64 {
		least := math.Inf(1)
		for _, g := range r.Groups {
			for _, q := range g.Runs {
				least = min(least, *q.Spent.On(axis))
			}
		}
		return least
	})
	for i := range r.Groups {
		r.Groups[i].spend(r.Budgets)
	}
	for i, a := range r.Groups {
		for j, b := range r.Groups {
			if i < j {
				r.Pairs = append(r.Pairs, pair(a, b))
			}
			if i != j {
				r.Reaches = append(r.Reaches, reach(a, b))
			}
		}
	}
	return r
}

func (s Search) summary() SearchSummary {
	q := SearchSummary{Name: s.Name, Seed: s.Seed, Reference: s.Reference, Curves: s.Curves()}
	for _, t := range s.Trials {
		if t.Point == nil {
			q.Failed++
		}
	}
	q.Final = q.Curves.Trainings.final()
	q.Spent = byAxis(func(axis string) float64 { return q.Curves.On(axis).end() })
	return q
}

// each are a number of each search.
func (s Summary) each(of func(SearchSummary) float64) []float64 {
	all := make([]float64, len(s.Runs))
	for i, q := range s.Runs {
		all[i] = of(q)
	}
	return all
}

// spend fills in what the group has at the budgets.
func (s *Summary) spend(budgets ByAxis[float64]) {
	for i := range s.Runs {
		q := &s.Runs[i]
		q.AtBudget = byAxis(func(axis string) float64 { return q.Curves.On(axis).at(*budgets.On(axis)) })
	}
	s.AtBudget = byAxis(func(axis string) Distribution { return distribution(s.atBudget(axis)) })
}

func (s Summary) atBudget(axis string) []float64 {
	return s.each(func(q SearchSummary) float64 { return *q.AtBudget.On(axis) })
}

func distribution(values []float64) Distribution {
	return Distribution{
		Median: stats.Median(values), Mean: stat.Mean(values, nil),
		Quartiles: [2]float64{stats.Quantile(values, 0.25), stats.Quantile(values, 0.75)},
	}
}

func pair(a, b Summary) Pair {
	p := Pair{A: a.Name, B: b.Name, Test: byAxis(func(axis string) stats.RankTest { return stats.MannWhitney(a.atBudget(axis), b.atBudget(axis)) })}
	var differences ByAxis[[]float64]
	for _, x := range a.Runs {
		for _, y := range b.Runs {
			if x.Seed == nil || y.Seed == nil || *x.Seed != *y.Seed {
				continue
			}
			p.Seeds++
			for _, axis := range Axes {
				difference := *x.AtBudget.On(axis) - *y.AtBudget.On(axis)
				*differences.On(axis) = append(*differences.On(axis), difference)
				if difference > 0 {
					*p.Better.On(axis)++
				}
			}
		}
	}
	p.Paired = byAxis(func(axis string) stats.PairedTest { return stats.SignedRank(*differences.On(axis)) })
	return p
}

func reach(a, b Summary) Reach {
	r := Reach{Group: a.Name, Of: b.Name, Hypervolume: b.Final.Median, Runs: len(a.Runs)}
	for _, q := range a.Runs {
		if q.Final >= r.Hypervolume {
			r.Reached++
		}
	}
	r.Spent = byAxis(func(axis string) Measured {
		return Measured(stats.Median(a.each(func(q SearchSummary) float64 { return q.Curves.On(axis).reach(r.Hypervolume) })))
	})
	r.Share = byAxis(func(axis string) Measured { return *r.Spent.On(axis) / Measured(*b.Spent.On(axis)) })
	return r
}

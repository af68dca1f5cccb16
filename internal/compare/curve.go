package compare

import (
	"cmp"
	"math"
	"slices"

	"moncae/search/moo"
)

// Curve is the hypervolume over what was spent: [spent, hypervolume] where it rises,
// and at the search's end. Between two it stays; before the first it is 0.
type Curve [][2]float64

// Curves are the search's along all axes.
func (s Search) Curves() ByAxis[Curve] { return byAxis(s.curve) }

// curve follows the search along an axis.
func (s Search) curve(axis string) Curve {
	trials := s.Trials
	if axis == Seconds {
		trials = slices.Clone(trials)
		slices.SortStableFunc(trials, func(a, b Trial) int { return cmp.Compare(a.Seconds, b.Seconds) })
	}
	var (
		c     Curve
		front = moo.Archive{Reference: s.Reference}
		spent float64
	)
	for _, t := range trials {
		switch axis {
		case Trainings:
			spent++
		case Steps:
			spent += float64(t.Steps)
		default:
			spent = t.Seconds
		}
		if before := front.Volume; t.Point != nil && front.Add(t.Point) && front.Volume > before {
			c = c.then(spent, front.Volume)
		}
	}
	return c.then(spent, front.Volume)
}

// then goes on to another point; of points where as much was spent, the last counts.
func (c Curve) then(spent, volume float64) Curve {
	if n := len(c); n > 0 && c[n-1][0] == spent {
		c = c[:n-1]
	}
	return append(c, [2]float64{spent, volume})
}

// end is what the search spent in all.
func (c Curve) end() float64 { return c[len(c)-1][0] }

// final is the hypervolume at its end.
func (c Curve) final() float64 { return c[len(c)-1][1] }

// at is the hypervolume when so much was spent.
func (c Curve) at(spent float64) float64 {
	volume := 0.0
	for _, p := range c {
		if p[0] <= spent {
			volume = p[1]
		}
	}
	return volume
}

// reach is what was spent when the hypervolume was first volume; +Inf for never,
// 0 for none.
func (c Curve) reach(volume float64) float64 {
	if volume <= 0 {
		return 0
	}
	for _, p := range c {
		if p[1] >= volume {
			return p[0]
		}
	}
	return math.Inf(1)
}

// Band is the spread of a group's hypervolumes when so much was spent.
type Band struct{ Spent, Low, Median, High float64 } // quartiles

// Over follows a group along an axis, to the longest search's end; a search that
// ended before keeps what it had.
func (s Summary) Over(axis string) []Band {
	var spent []float64
	for _, q := range s.Runs {
		for _, p := range *q.Curves.On(axis) {
			spent = append(spent, p[0])
		}
	}
	slices.Sort(spent)
	spent = slices.Compact(spent)
	bands := make([]Band, len(spent))
	for i, at := range spent {
		d := distribution(s.each(func(q SearchSummary) float64 { return q.Curves.On(axis).at(at) }))
		bands[i] = Band{at, d.Quartiles[0], d.Median, d.Quartiles[1]}
	}
	return bands
}

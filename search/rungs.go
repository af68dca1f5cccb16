package search

import (
	"math"
	"slices"

	"moncae/internal/run"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/moo"
)

// rungShares are the shares of a training's steps after which it is judged.
var rungShares = []float64{0.25, 0.5}

// rungs are where the training of place k is judged, by the results that its
// proposal saw: so that they depend on no order of finishing.
func (e *evolution) rungs(k int, n *algorithm.Network) []train.Rung {
	if !e.config.EarlyStop {
		return nil
	}
	var told []algorithm.Course
	seen := map[string]bool{}
	for _, p := range e.places[:e.algorithm.Sees(k)] {
		if c := e.recorded(p.id); c != nil && len(c.Rungs) > 0 && !seen[c.ID] {
			seen[c.ID] = true
			told = append(told, e.course(c))
		}
	}
	rows := len(e.limited)
	steps := e.config.Epochs * (rows / train.Batch(e.config.Batch, rows))
	bars := algorithm.Bars(told, algorithm.Course{Exact: e.exact(run.Static(n.Arch)), Schedule: n.Recipe.Schedule}, len(rungShares), e.lossReference()-e.lossFloor())
	var rungs []train.Rung
	for i, share := range rungShares {
		r := train.Rung{Step: max(1, int(share*float64(steps)))}
		if bars[i] > 0 {
			r.Most = bars[i] + e.lossFloor()
		}
		rungs = append(rungs, r)
	}
	return slices.CompactFunc(rungs, func(a, b train.Rung) bool { return a.Step == b.Step })
}

func (e *evolution) course(c *Candidate) algorithm.Course {
	t := algorithm.Course{Schedule: c.Recipe.Schedule, Final: math.NaN()}
	for _, loss := range c.Rungs {
		t.Rungs = append(t.Rungs, loss-e.lossFloor())
	}
	if c.Search != nil && !c.Stopped {
		t.Exact, t.Final = e.exact(c.Search.Values), c.Search.Values[run.ObjectiveLoss]-e.lossFloor()
	}
	return t
}

// exact are the objectives but the loss.
func (e *evolution) exact(v run.Values) moo.Point {
	var p moo.Point
	for _, name := range e.config.Objectives {
		if name != run.ObjectiveLoss {
			p = append(p, v[name])
		}
	}
	return p
}

func (s *Study) lossReference() float64 {
	return s.reference[slices.Index(s.config.Objectives, run.ObjectiveLoss)]
}

func (s *Study) lossFloor() float64 { return lossTarget(s.blend, s.mean, s.floor).Floor }

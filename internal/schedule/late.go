package schedule

import (
	"math"
	"slices"
)

// What Late goes by: a task is late after lateness times the median of the last tasks
// that ended, once there are enough of them.
const (
	lateness = 2
	remember = 99
	enough   = 5
)

// Late knows how long tasks take.
type Late struct {
	last []float64 // seconds, a ring
	next int
}

// Ended notes how long a task took.
func (l *Late) Ended(seconds float64) {
	if len(l.last) < remember {
		l.last = append(l.last, seconds)
		return
	}
	l.last[l.next] = seconds
	l.next = (l.next + 1) % remember
}

// After are the seconds after which a task is late.
func (l *Late) After() float64 {
	if len(l.last) < enough {
		return math.Inf(1)
	}
	sorted := slices.Sorted(slices.Values(l.last))
	return lateness * sorted[len(sorted)/2]
}

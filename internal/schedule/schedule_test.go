package schedule

import (
	"math"
	"slices"
	"testing"
)

type sized struct {
	cost  float64
	bytes int64
}

func (s sized) Size() (float64, int64) { return s.cost, s.bytes }

func taken(q *Queue[sized]) (all []sized) {
	for j, ok := q.Take(); ok; j, ok = q.Take() {
		all = append(all, j)
	}
	return all
}

func TestTheLongestBeginsAndEqualOnesAsTheyCame(t *testing.T) {
	q := NewQueue[sized](0)
	q.Add(sized{2, 0}, sized{5, 1})
	q.Add(sized{1, 0}, sized{5, 2}, sized{4, 0})
	if got, want := taken(q), []sized{{5, 1}, {5, 2}, {4, 0}, {2, 0}, {1, 0}}; !slices.Equal(got, want) || q.Len() != 0 {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWhatIsTakenStaysWithinMemory(t *testing.T) {
	q := NewQueue[sized](100)
	q.Add(sized{9, 150}, sized{8, 60}, sized{7, 60}, sized{6, 40})
	for _, want := range [][]sized{{{9, 150}}, {{8, 60}, {6, 40}}, {{7, 60}}} {
		got := taken(q)
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		for _, j := range got {
			q.Give(j)
		}
	}
}

// A window of 3 lets three be under way at most, counted from the first that isn't told.
func TestPlacesAreToldInTheirOrder(t *testing.T) {
	c := NewCourse(5, func(k int) int { return max(0, k-2) })
	asked := func() (all []int) {
		for k, ok := c.Ask(); ok; k, ok = c.Ask() {
			all = append(all, k)
		}
		return all
	}
	if got := asked(); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("asked for %v", got)
	}
	c.Done(1)
	c.Done(2)
	if got := asked(); got != nil || c.Ready() {
		t.Errorf("%v is asked for before place 0 is told", got)
	}
	c.Done(0)
	for c.Ready() {
		c.Tell()
	}
	if got := asked(); !slices.Equal(got, []int{3, 4}) || c.Next() != 3 || c.Over() {
		t.Errorf("asked for %v after 3", got)
	}
	c.Done(3)
	c.Done(4)
	for c.Ready() {
		c.Tell()
	}
	if !c.Over() || c.Ready() {
		t.Error("it is not over")
	}
}

func TestLateIsTwiceTheMedianOfTheLast(t *testing.T) {
	var l Late
	for i := range enough - 1 {
		l.Ended(float64(i))
	}
	if got := l.After(); !math.IsInf(got, 1) {
		t.Errorf("%v after too few", got)
	}
	l.Ended(100)
	if got := l.After(); got != 4 {
		t.Errorf("%v, want 4", got)
	}
	for range remember {
		l.Ended(7)
	}
	if got := l.After(); got != 14 {
		t.Errorf("%v, want 14 of the last", got)
	}
}

// A course that ends early tells what was asked for before its end, and is over then.
func TestCoursesEndEarly(t *testing.T) {
	c := NewCourse(9, func(k int) int { return max(0, k-2) })
	for range 3 {
		if _, ok := c.Ask(); !ok {
			t.Fatal("a place of the window can't be asked for")
		}
	}
	c.End(2)
	if k, ok := c.Ask(); ok {
		t.Errorf("place %d is asked for behind the end", k)
	}
	for k := range 2 {
		if c.Over() || c.Ready() {
			t.Errorf("before place %d: over %v, ready %v", k, c.Over(), c.Ready())
		}
		c.Done(k)
		c.Tell()
	}
	if _, ok := c.Ask(); ok || !c.Over() || c.Ready() {
		t.Error("the course isn't over at its end")
	}
}

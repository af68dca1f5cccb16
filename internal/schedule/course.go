package schedule

// Course is the order of a search's places. They are asked for and told in their
// order; between the two, trainings end in any.
type Course struct {
	sees        func(place int) int
	done        []bool
	asked, told int
}

// NewCourse is one of so many places; sees says how many must be told before a place
// is asked for, as an algorithm's Sees does.
func NewCourse(places int, sees func(place int) int) *Course {
	return &Course{sees: sees, done: make([]bool, places)}
}

// Ask gives the place that is asked for next; not ok is that none may be now.
func (c *Course) Ask() (place int, ok bool) {
	if c.asked == len(c.done) || c.sees(c.asked) > c.told {
		return 0, false
	}
	c.asked++
	return c.asked - 1, true
}

// End has the places from this one on be none. None of them may have been told; those
// that were asked for before it are waited for.
func (c *Course) End(place int) {
	c.done, c.asked = c.done[:place], min(c.asked, place)
}

// Done notes that a place has its result.
func (c *Course) Done(place int) { c.done[place] = true }

// Next is the place that is told next, and how many were told before it.
func (c *Course) Next() int { return c.told }

// Ready tells whether the place that is told next has its result.
func (c *Course) Ready() bool { return !c.Over() && c.done[c.told] }

// Tell notes that it was told.
func (c *Course) Tell() { c.told++ }

// Over is that all places were told.
func (c *Course) Over() bool { return c.told == len(c.done) }

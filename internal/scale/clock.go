package scale

import "container/heap"

// clock has things happen in the order of their times, and of their making at equal ones.
type clock struct {
	now    float64
	made   int
	coming events
}

type event struct {
	at     float64
	number int
	do     func()
}

// in has do happen after so many seconds.
func (c *clock) in(seconds float64, do func()) {
	c.made++
	heap.Push(&c.coming, event{c.now + seconds, c.made, do})
}

// next is the next to happen.
func (c *clock) next() (event, bool) {
	if len(c.coming) == 0 {
		return event{}, false
	}
	return heap.Pop(&c.coming).(event), true
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].number < e[j].number
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}

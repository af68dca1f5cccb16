package durable

import "sync"

// Group keeps together what several goroutines want to be kept at the same time: what
// comes while a commit runs shares the next, and so its sync.
type Group[T any] struct {
	// Commit keeps all of it, in this order, or nothing; one goroutine at a time calls it.
	Commit func(all []T) error

	turn sync.Mutex // of who commits
	mu   sync.Mutex // guards next
	next *batch[T]
}

// batch is what is committed at once.
type batch[T any] struct {
	all  []T
	done bool
	err  error
}

// Keep returns when one is kept, with others or alone; an error is that of all of them.
func (g *Group[T]) Keep(one T) error {
	mine := g.join(one)
	g.turn.Lock()
	defer g.turn.Unlock()
	if mine.done {
		return mine.err
	}
	g.mu.Lock()
	g.next = nil
	g.mu.Unlock()
	mine.done, mine.err = true, g.Commit(mine.all)
	return mine.err
}

func (g *Group[T]) join(one T) *batch[T] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next == nil {
		g.next = &batch[T]{}
	}
	g.next.all = append(g.next.all, one)
	return g.next
}

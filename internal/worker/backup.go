package worker

import (
	"context"
	"time"
)

// look is how often idle places are looked for.
const look = time.Second

// backUp has idle places try tasks that take long, until the pool is closed.
func (p *Pool) backUp() {
	every := time.NewTicker(look)
	defer every.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-every.C:
		}
		for p.backUpOne() {
		}
	}
}

// backUpOne gives an idle place the task that has taken longest, if that is late.
func (p *Pool) backUpOne() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if p.waiting > 0 || last < 0 || p.err != nil || p.differ != nil || p.ctx.Err() != nil {
		return false
	}
	f := p.latest()
	if f == nil {
		return false
	}
	s := p.idle[last]
	p.idle = p.idle[:last]
	ctx, cancel := context.WithCancel(f.ctx)
	t := &try{spare: true, cancel: cancel}
	f.tries = append(f.tries, t)
	p.copies.Go(func() { f.on(ctx, t, s) })
	return true
}

// latest is the task that has taken longest, if it is late and only one process is at it.
func (p *Pool) latest() (found *flight) {
	for _, f := range p.flights {
		if f.over || f.order.Same == nil || len(f.tries) != 1 || f.tries[0].began.IsZero() ||
			time.Since(f.tries[0].began).Seconds() < p.lateness(f.order.Kind).After() {
			continue
		}
		if found == nil || f.tries[0].began.Before(found.tries[0].began) {
			found = f
		}
	}
	return found
}

// giveUp ends a try that isn't needed, for its place is.
func (p *Pool) giveUp() {
	for _, f := range p.flights {
		for _, t := range f.tries {
			if f.over || t.spare && len(f.tries) > 1 {
				t.cancel()
			}
		}
	}
}

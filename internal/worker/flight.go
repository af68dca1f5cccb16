package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"moncae/internal/schedule"
)

// flight is a task that one process is at, or two at once.
type flight struct {
	pool    *Pool
	order   Order
	spec    []byte
	ctx     context.Context
	cancel  context.CancelFunc
	stop    func() bool // hearing of the end of the caller's context
	answers chan answer // one of each try; there is room for all that are under way

	hearing sync.Mutex // held while the order's functions are called
	deaf    bool       // they are called no more

	// Guarded by the pool's lock.
	tries []*try
	over  bool
}

// try is a process's at a task.
type try struct {
	spare  bool // beside another one
	began  time.Time
	cancel context.CancelFunc
}

// answer is what came of a try.
type answer struct {
	*try
	Result
	slot *slot
	who  Hello // of a result
	err  error
}

// fly begins a task.
func (p *Pool) fly(ctx context.Context, o Order, spec []byte) *flight {
	f := &flight{pool: p, order: o, spec: spec, answers: make(chan answer, 2)}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.stop = context.AfterFunc(ctx, f.cancel)
	p.mu.Lock()
	p.flights = append(p.flights, f)
	p.mu.Unlock()
	f.begin(nil)
	return f
}

// begin has a process try the task, another one than avoid's if there is.
func (f *flight) begin(avoid *slot) {
	ctx, cancel := context.WithCancel(f.ctx)
	t := &try{cancel: cancel}
	f.pool.mu.Lock()
	f.tries = append(f.tries, t)
	f.pool.mu.Unlock()
	f.pool.copies.Go(func() {
		s, err := f.pool.take(ctx, avoid)
		if err != nil {
			f.answer(answer{try: t, err: err})
			return
		}
		f.on(ctx, t, s)
	})
}

// on does a try in a slot that was taken.
func (f *flight) on(ctx context.Context, t *try, s *slot) {
	f.pool.mu.Lock()
	t.began = time.Now()
	f.pool.mu.Unlock()
	a := answer{try: t, slot: s}
	if a.Result, a.err = s.do(ctx, f.heard(), f.spec); a.err == nil {
		a.who = s.hello
	}
	f.pool.put(s)
	f.answer(a)
}

func (f *flight) answer(a answer) {
	a.cancel()
	f.pool.mu.Lock()
	f.tries = slices.DeleteFunc(f.tries, func(t *try) bool { return t == a.try })
	if a.err == nil {
		f.pool.lateness(f.order.Kind).Ended(time.Since(a.began).Seconds())
	}
	f.pool.mu.Unlock()
	f.answers <- a
}

// lateness is that of tasks of a kind; the pool's lock is held.
func (p *Pool) lateness(kind string) *schedule.Late {
	if p.late[kind] == nil {
		p.late[kind] = &schedule.Late{}
	}
	return p.late[kind]
}

// heard is the order with functions that one try calls at a time, and none after the end.
func (f *flight) heard() Order {
	o := f.order
	if o.Parts != nil {
		o.Parts = func() ([]Part, error) {
			f.hearing.Lock()
			defer f.hearing.Unlock()
			return f.order.Parts()
		}
	}
	if o.Event != nil {
		o.Event = func(data json.RawMessage, parts []Part) error {
			f.hearing.Lock()
			defer f.hearing.Unlock()
			if f.deaf {
				return nil
			}
			return f.order.Event(data, parts)
		}
	}
	return o
}

// flying tells whether an answer is to come.
func (f *flight) flying() bool {
	f.pool.mu.Lock()
	defer f.pool.mu.Unlock()
	return len(f.tries) > 0 || len(f.answers) > 0
}

// land ends the task; after a first result another try may go on, so that its result is
// held against that one.
func (f *flight) land(first *answer) {
	f.hearing.Lock()
	f.deaf = true
	f.hearing.Unlock()
	f.stop()
	if first != nil && f.flying() {
		f.pool.mu.Lock()
		f.over = true
		f.pool.mu.Unlock()
		f.pool.copies.Go(func() {
			f.compare(*first, <-f.answers)
			f.leave()
		})
		return
	}
	f.leave()
}

func (f *flight) leave() {
	f.cancel()
	f.pool.mu.Lock()
	defer f.pool.mu.Unlock()
	f.over = true
	f.pool.flights = slices.DeleteFunc(f.pool.flights, func(other *flight) bool { return other == f })
}

// compare refuses a second result that isn't the first.
func (f *flight) compare(first, second answer) {
	if second.err != nil || first.who.Class != second.who.Class || f.order.Same(first.Result, second.Result) {
		return
	}
	p := f.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.differ != nil {
		return
	}
	p.differ = fmt.Errorf("two workers gave different results for the same task (%s, then %s): the second is refused, but one of these machines computes wrongly, so that no result of either can be relied on",
		first.named(), second.named())
	p.freed.Broadcast()
}

func (a answer) named() string {
	if a.who.Where != "" {
		return a.who.Where
	}
	return fmt.Sprintf("worker %d", a.slot.number+1)
}

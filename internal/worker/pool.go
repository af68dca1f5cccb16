package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"moncae/internal/schedule"
)

// Options are what a pool is made of.
type Options struct {
	Slots  int // processes at once
	Launch Launch
	// Ahead, where set, has all processes started at once, and tasks given to those that
	// have begun: others may begin when they like. It ends what has not begun.
	Ahead func() error
	// Timeout is how long a process may say nothing while it has something to do; 0: for ever.
	Timeout time.Duration
	Cores   int // processors of each; 0: those of this machine are shared
	// Backup has places with nothing to do try tasks too that take long, if their order
	// has Same. What is wanted for another task is given up for it.
	Backup bool
	// Check refuses a worker by what it says it is.
	Check func(Hello) error
}

// Pool hands tasks to workers, which it starts when they are needed and anew when
// they end.
type Pool struct {
	options Options
	ids     atomic.Int64

	ctx    context.Context // over when the pool is closed
	cancel context.CancelFunc
	begin  sync.WaitGroup // of processes that begin, where that is done ahead

	copies sync.WaitGroup // of tasks, and what watches them

	mu      sync.Mutex
	freed   sync.Cond
	idle    []*slot // the one that is taken next is last
	waiting int     // for an idle one
	given   []Given
	err     error // why workers can't begin
	flights []*flight
	late    map[string]*schedule.Late // by kind of task
	differ  error                     // two results that had to be the same
	told    bool                      // of it, to who wanted a task done after it
}

// NewPool makes a pool; Close ends it.
func NewPool(o Options) *Pool {
	p := &Pool{options: o, late: map[string]*schedule.Late{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.freed.L = &p.mu
	for i := range o.Slots {
		p.put(&slot{pool: p, number: o.Slots - 1 - i})
	}
	if o.Backup {
		p.copies.Go(p.backUp)
	}
	return p
}

// Slots is how many processes work at once.
func (p *Pool) Slots() int { return p.options.Slots }

// Cores are the processors of each worker, where all have together on this machine.
func (p *Pool) Cores(all int) int {
	if p.options.Cores > 0 {
		return p.options.Cores
	}
	return max(1, all/p.Slots())
}

// Hello is what the workers are. It starts one, if there is none.
func (p *Pool) Hello(ctx context.Context) (Hello, error) {
	s, err := p.take(ctx, nil)
	if err != nil {
		return Hello{}, err
	}
	defer p.put(s)
	if err := s.ready(ctx, nil); err != nil {
		return Hello{}, err
	}
	return s.hello, nil
}

// Give has a worker keep something before the first task that needs it.
func (p *Pool) Give(g Given) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.ContainsFunc(p.given, func(old Given) bool { return old.Key == g.Key }) {
		p.given = append(p.given, g)
	}
}

// Forget drops what was given; workers that have it keep it.
func (p *Pool) Forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = slices.DeleteFunc(p.given, func(g Given) bool { return g.Key == key })
}

// Close ends all workers, which have nothing to do. Its error is that of two results that
// differed, where no task was wanted since.
func (p *Pool) Close() error {
	p.cancel()
	p.mu.Lock()
	for _, f := range p.flights {
		f.cancel()
	}
	p.mu.Unlock()
	p.copies.Wait()
	p.mu.Lock()
	idle, err := p.idle, p.differ
	if p.told {
		err = nil
	}
	p.idle = nil
	p.mu.Unlock()
	var wait sync.WaitGroup
	for _, s := range idle {
		wait.Go(s.leave)
	}
	wait.Wait()
	if p.options.Ahead != nil {
		err = errors.Join(err, p.options.Ahead())
		p.begin.Wait()
	}
	return err
}

// take waits for an idle slot, another one than avoid if there is.
func (p *Pool) take(ctx context.Context, avoid *slot) (*slot, error) {
	defer context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.freed.Broadcast()
	})()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.idle) == 0 && p.err == nil && p.differ == nil && ctx.Err() == nil {
			p.giveUp()
			p.waiting++
			p.freed.Wait()
			p.waiting--
		}
		if err := errors.Join(ctx.Err(), p.err); err != nil {
			return nil, err
		}
		if p.differ != nil {
			p.told = true
			return nil, fmt.Errorf("not begun, for %w", p.differ)
		}
		at := len(p.idle) - 1
		if p.idle[at] == avoid && at > 0 {
			at--
		}
		s := p.idle[at]
		p.idle = slices.Delete(p.idle, at, at+1)
		if p.options.Ahead == nil || !s.gone() {
			return s, nil
		}
		p.begin.Go(func() { p.prepare(s) })
	}
}

func (p *Pool) put(s *slot) {
	if p.options.Ahead != nil && s.living == nil && p.ctx.Err() == nil {
		p.begin.Go(func() { p.prepare(s) })
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, s)
	p.freed.Signal()
}

// prepare has a slot's process begin before there is a task for it.
func (p *Pool) prepare(s *slot) {
	s.leave()
	err := s.ready(p.ctx, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.idle = append(p.idle, s)
	case p.ctx.Err() == nil:
		p.err = errors.Join(p.err, err)
	}
	p.freed.Broadcast()
}

// wanted is what a task needs of all that was given.
func (p *Pool) wanted(needs []string) []Given {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.given), func(g Given) bool { return !slices.Contains(needs, g.Key) })
}

// Order is a task to be done.
type Order struct {
	Kind  string
	Spec  any      // JSON: all that the result depends on
	With  any      // JSON: what changes nothing of it; nil: nothing
	Needs []string // keys of what was given
	// Parts go with the task; they are asked for anew when it is tried again.
	Parts func() ([]Part, error)
	// Event hears how the task goes on, of one process at a time; nil: nobody does.
	Event func(data json.RawMessage, parts []Part) error
	// Same tells whether two results of the task are the same but for their times, as
	// those of workers of a class have to be; nil: it is not tried by two at once.
	Same func(a, b Result) bool
}

// Lost is the error of a task that two processes did not live to finish.
type Lost struct{ Ends []string }

func (l *Lost) Error() string {
	return "its worker ended twice: " + strings.Join(l.Ends, "; then ")
}

// Do has a task done. An error is a *Lost, the caller's own, or the workers' that
// can't begin.
func (p *Pool) Do(ctx context.Context, o Order) (Result, error) {
	spec, err := json.Marshal(o.Spec)
	if err != nil {
		return Result{}, err
	}
	f := p.fly(ctx, o, spec)
	lost := &Lost{}
	for before := 0; ; {
		a := <-f.answers
		end := (*died)(nil)
		switch {
		case a.err == nil:
			f.land(&a)
			return a.Result, nil
		case errors.As(a.err, &end):
			lost.Ends = append(lost.Ends, end.how)
		case errors.Is(a.err, errBefore) && before < attempts*p.Slots():
			before++
		case a.spare && errors.Is(a.err, context.Canceled): // its place was wanted, or so is the task's end
		case errors.Is(a.err, context.Canceled) && ctx.Err() != nil:
			f.land(nil)
			return Result{}, ctx.Err()
		default:
			f.land(nil)
			return Result{}, a.err
		}
		if f.flying() {
			continue
		}
		if len(lost.Ends) >= 2 {
			f.land(nil)
			return Result{}, lost
		}
		f.begin(a.slot)
	}
}

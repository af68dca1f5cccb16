package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"moncae/internal/fault"
)

// attempts is how often a process is started before that is given up.
const attempts = 3

// grace is how long a process may take to end a task that is cancelled, or itself.
const grace = 10 * time.Second

// died is the end of a process that had a task.
type died struct{ how string }

func (d *died) Error() string { return d.how }

// slot is a place for one process. Whoever took it uses it.
type slot struct {
	pool    *Pool
	number  int
	*living // nil: none
}

// living is a process that was started.
type living struct {
	process *Process
	timeout time.Duration
	conn    *conn
	in      <-chan received
	stop    context.CancelFunc // of the reading
	hello   Hello
	has     map[string]bool // keys of what it was given

	mu     sync.Mutex
	why    string // it was killed
	silent *time.Timer
}

// do has the slot's process do a task.
func (s *slot) do(ctx context.Context, o Order, spec []byte) (Result, error) {
	if err := s.prepared(ctx, s.pool.wanted(o.Needs)); err != nil {
		return Result{}, err
	}
	var parts []Part
	if o.Parts != nil {
		var err error
		if parts, err = o.Parts(); err != nil {
			return Result{}, err
		}
	}
	with, err := json.Marshal(o.With)
	if err != nil {
		return Result{}, err
	}
	t := &task{s.pool.ids.Add(1), o.Kind, Key(o.Kind, spec), spec, with}
	r, err := s.exchange(ctx, o, t, parts)
	if err == nil || errors.Is(err, errCancelled) {
		return r, errors.Join(err, ctx.Err())
	}
	how := s.bury()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if mine := (*unusable)(nil); errors.As(err, &mine) {
		return Result{}, mine.error
	}
	return Result{}, &died{how}
}

// errBefore is the error of a process that ended before it had the task.
var errBefore = errors.New("a worker ended before its task")

// prepared makes sure that the process has what a task needs.
func (s *slot) prepared(ctx context.Context, needs []Given) error {
	if s.pool.options.Ahead == nil {
		return s.ready(ctx, needs)
	}
	err := s.begin(needs)
	if err == nil {
		return ctx.Err()
	}
	how := s.bury()
	if fault.Of(err) == fault.Failed {
		return fmt.Errorf("%w: %s", errBefore, how)
	}
	return err
}

// errCancelled is the error of a task that was ended as it was asked.
var errCancelled = errors.New("cancelled")

// unusable is an error of the caller's with what a worker told.
type unusable struct{ error }

// exchange sends a task and waits for what comes of it. After an error but
// errCancelled the process is of no use any more.
func (l *living) exchange(ctx context.Context, o Order, t *task, parts []Part) (Result, error) {
	l.watch()
	defer l.unwatch()
	over := make(chan struct{})
	defer close(over)
	defer context.AfterFunc(ctx, func() { l.cancel(t.ID, over) })()
	if err := l.conn.send(message{Task: t, Parts: parts}); err != nil {
		return Result{}, err
	}
	for {
		m, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return Result{}, err
		case err != nil:
			return Result{}, l.kill(err.Error(), err)
		case m.Event != nil && m.Event.ID == t.ID:
			if o.Event == nil || len(m.Event.Data) == 0 {
				continue
			}
			if err := o.Event(m.Event.Data, m.Parts); err != nil {
				return Result{}, l.kill("what it told can't be kept", &unusable{err})
			}
		case m.Result != nil && m.Result.ID == t.ID && m.Result.Key == t.Key:
			return Result{m.Result.Data, m.Parts}, nil
		case m.Failed != nil && m.Failed.ID == t.ID && m.Failed.Cancelled:
			return Result{}, errCancelled
		case m.Failed != nil && m.Failed.ID == t.ID && m.Failed.Refused:
			return Result{}, l.kill(m.Failed.Error, &unusable{fault.Usagef("%s%s", l.where(), m.Failed.Error)})
		case m.Failed != nil && m.Failed.ID == t.ID:
			return Result{}, l.kill(m.Failed.Error, errors.New(m.Failed.Error))
		default:
			return Result{}, l.kill("it answers what it was not asked", errors.ErrUnsupported)
		}
	}
}

// ready makes sure of a process that has what is needed.
func (s *slot) ready(ctx context.Context, needs []Given) error {
	how := ""
	for range attempts {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.begin(needs)
		if err == nil {
			return nil
		}
		if how = err.Error(); s.living != nil {
			l := s.living
			how = s.bury()
			if code := fault.Kind(l.process.Wait().Code); code >= fault.Usage && code <= fault.Missing && l.hello.Protocol == 0 {
				return fault.As(code, fmt.Errorf("a worker can't begin: %s", how))
			}
		}
		if fault.Of(err) != fault.Failed {
			return err
		}
	}
	return fmt.Errorf("a worker can't begin: %s", how)
}

func (s *slot) begin(needs []Given) error {
	if s.living != nil && s.gone() {
		s.bury()
	}
	if s.living == nil {
		p, err := s.pool.options.Launch(s.number)
		if err != nil {
			return err
		}
		s.living = &living{process: p, conn: newConn(p.Out, p.In), has: map[string]bool{}, stop: func() {}}
		if s.pool.options.Ahead == nil { // else it may wait for its place
			s.timeout = s.pool.options.Timeout
		}
		if err := s.meet(s.pool.options.Check); err != nil {
			return err
		}
		s.timeout = s.pool.options.Timeout
	}
	for _, g := range needs {
		if err := s.give(g); err != nil {
			return err
		}
	}
	return nil
}

// where is the worker's place, to begin messages with.
func (l *living) where() string {
	if l.hello.Where == "" {
		return ""
	}
	return l.hello.Where + ": "
}

// gone tells whether the process ended while it had nothing to do.
func (l *living) gone() bool {
	select {
	case <-l.in:
		return true
	default:
		return false
	}
}

// meet reads a worker's first line, in which later versions may have more.
func (l *living) meet(check func(Hello) error) error {
	l.watch()
	defer l.unwatch()
	line, err := l.conn.line()
	if err != nil {
		return errors.New("it says nothing")
	}
	if err := json.Unmarshal(line, &l.hello); err != nil || l.hello.Protocol == 0 {
		return fault.Usagef("a worker begins with %s: that is no moncae worker", shown(line))
	}
	if l.hello.Protocol != Protocol {
		return fault.Usagef("a worker speaks version %d of the protocol, this moncae version %d", l.hello.Protocol, Protocol)
	}
	var ctx context.Context
	ctx, l.stop = context.WithCancel(context.Background())
	l.in = receiving(ctx, l.conn)
	if err := check(l.hello); err != nil {
		return fault.As(fault.Of(err), fmt.Errorf("%s%w", l.where(), err))
	}
	if l.process.Begun != nil {
		l.process.Begun()
	}
	return nil
}

func (l *living) give(g Given) error {
	if l.has[g.Key] {
		return nil
	}
	head, err := json.Marshal(g.Head)
	if err != nil {
		return err
	}
	l.watch()
	defer l.unwatch()
	if err := l.conn.send(message{Give: &give{g.Key, g.Kind, head}, Parts: g.Parts}); err != nil {
		return err
	}
	m, err := l.next()
	if err == nil && m.Kept != g.Key {
		return l.kill("it does not take what it is given", errors.ErrUnsupported)
	}
	l.has[g.Key] = err == nil
	return err
}

// next is the process's next message, which is a sign of life.
func (l *living) next() (message, error) {
	m := <-l.in
	l.watch()
	return m.message, m.err
}

// watch waits anew for a sign of life.
func (l *living) watch() {
	if l.timeout <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent == nil {
		l.silent = time.AfterFunc(l.timeout, func() { _ = l.kill(fmt.Sprintf("it said nothing for %v and was ended", l.timeout), nil) })
	} else {
		l.silent.Reset(l.timeout)
	}
}

func (l *living) unwatch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.silent != nil {
		l.silent.Stop()
		l.silent = nil
	}
}

// cancel asks the process to end a task, and kills it where the task isn't over in time.
func (l *living) cancel(id int64, over <-chan struct{}) {
	late := time.AfterFunc(grace, l.process.Kill)
	_ = l.conn.send(message{Cancel: id}) // one that has ended needs no order
	<-over
	late.Stop()
}

// kill ends the process for a reason, of which the first counts, and gives err.
func (l *living) kill(why string, err error) error {
	l.mu.Lock()
	if l.why == "" {
		l.why = why
	}
	l.mu.Unlock()
	l.process.Kill()
	return err
}

// bury waits for the end of the process, which is under way, and says how it was.
func (s *slot) bury() (how string) {
	l := s.living
	s.living = nil
	_ = l.process.In.Close() // it may have ended
	late := time.AfterFunc(grace, l.process.Kill)
	how = l.process.Wait().How
	late.Stop()
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why != "" {
		how = l.why
	}
	return how
}

// leave ends a process that has nothing to do.
func (s *slot) leave() {
	if s.living != nil {
		s.bury()
	}
}

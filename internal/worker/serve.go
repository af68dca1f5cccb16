package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"moncae/internal/fault"
)

// Given is something that tasks need, which a worker keeps.
type Given struct {
	Key   string // that tasks name it by
	Kind  string
	Head  any // JSON: what the parts are
	Parts []Part
}

// Task is a unit of work, as a Kind sees it.
type Task struct {
	Spec  json.RawMessage // all that its result depends on
	With  json.RawMessage // nil: nothing more is said
	Parts []Part
}

// Result is what a task came to: JSON, and bytes.
type Result struct {
	Data  json.RawMessage
	Parts []Part
}

// Say tells the coordinator how a task goes on.
type Say func(data any, parts ...Part) error

// Kind does the tasks of a kind. An error ends the worker, which is a task's failure
// in this process: it may be tried in another.
type Kind func(context.Context, Task, Say) (Result, error)

// Keep takes in what is given: head is JSON.
type Keep func(key string, head json.RawMessage, parts []Part) error

// Nothing is the task that gives back what it is given, for measuring the protocol.
func Nothing(_ context.Context, t Task, _ Say) (Result, error) {
	return Result{Data: t.Spec, Parts: t.Parts}, nil
}

// Server is a worker.
type Server struct {
	Hello Hello
	Kinds map[string]Kind
	Keeps map[string]Keep
}

// ErrBusy is the error of a server that was left by its coordinator and whose task
// does not end: what it works with can't be closed.
var ErrBusy = errors.New("the coordinator has gone, and a task goes on")

// patience is how long a task may take to end when it is cancelled.
const patience = time.Second

// Key identifies a task: equal ones have equal results.
func Key(kind string, spec []byte) string {
	sum := sha256.Sum256(append([]byte(kind+"\n"), spec...))
	return hex.EncodeToString(sum[:])
}

// Serve does tasks, one at a time, until in ends. An error of the kind Usage is the
// coordinator's: a line that is no message, a task that can't be one's own.
func (s Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := &serving{Server: s, conn: newConn(in, out), ended: make(chan ended, 1)}
	if err := w.conn.write(s.Hello); err != nil {
		return err
	}
	err := w.loop(ctx)
	return errors.Join(err, w.leave())
}

// received is a message, or why there is none.
type received struct {
	message
	err error
}

// receiving reads a conn's messages until one can't be read, or ctx ends.
func receiving(ctx context.Context, c *conn) <-chan received {
	to := make(chan received)
	go func() {
		for {
			m, err := c.receive()
			select {
			case to <- received{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return to
}

// serving is a server at work.
type serving struct {
	Server
	conn   *conn
	task   *task // under way
	cancel context.CancelFunc
	ended  chan ended
}

// ended is how the task ended.
type ended struct {
	result Result
	err    error
}

func (w *serving) loop(ctx context.Context) error {
	incoming := receiving(ctx, w.conn)
	for {
		select {
		case m := <-incoming:
			if errors.Is(m.err, io.EOF) {
				return nil
			}
			if err := w.take(ctx, m); err != nil {
				return err
			}
		case e := <-w.ended:
			if err := w.tell(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *serving) take(ctx context.Context, m received) error {
	switch {
	case m.err != nil:
		return m.err
	case m.Give != nil:
		return w.keep(*m.Give, m.Parts)
	case m.Task != nil:
		return w.begin(ctx, m.Task, m.Parts)
	case m.Cancel != 0:
		if w.task != nil && w.task.ID == m.Cancel {
			w.cancel()
		}
		return nil
	}
	return fault.Usagef("line %d is a worker's message, not a coordinator's", w.conn.lines)
}

func (w *serving) keep(g give, parts []Part) error {
	keep, ok := w.Keeps[g.Kind]
	if !ok {
		return fault.Usagef("line %d gives %.40q, which this worker doesn't know", w.conn.lines, g.Kind)
	}
	if err := keep(g.Key, g.Head, parts); err != nil {
		return err
	}
	return w.conn.send(message{Kept: g.Key})
}

func (w *serving) begin(ctx context.Context, t *task, parts []Part) error {
	do, ok := w.Kinds[t.Kind]
	switch {
	case !ok:
		return fault.Usagef("line %d: task %d is of the kind %.40q, which this worker doesn't know", w.conn.lines, t.ID, t.Kind)
	case t.ID < 1:
		return fault.Usagef("line %d: a task's id is %d; they begin with 1", w.conn.lines, t.ID)
	case w.task != nil:
		return fault.Usagef("line %d: task %d comes while task %d is under way", w.conn.lines, t.ID, w.task.ID)
	case t.Key != Key(t.Kind, t.Spec):
		return fault.Usagef("line %d: task %d has the key %.16s…, which is not its own", w.conn.lines, t.ID, t.Key)
	}
	w.task = t
	ctx, w.cancel = context.WithCancel(ctx)
	say := func(data any, parts ...Part) error {
		b, err := json.Marshal(data)
		if err != nil {
			return err
		}
		return w.conn.send(message{Event: &event{t.ID, b}, Parts: parts})
	}
	if err := w.conn.send(message{Event: &event{ID: t.ID}}); err != nil {
		return err
	}
	go func() {
		r, err := do(ctx, Task{t.Spec, t.With, parts}, say)
		w.ended <- ended{r, err}
	}()
	return nil
}

// tell sends what came of the task.
func (w *serving) tell(e ended) error {
	t := w.task
	w.cancel()
	w.task = nil
	switch {
	case e.err == nil:
		return w.conn.send(message{Result: &result{t.ID, t.Key, e.result.Data}, Parts: e.result.Parts})
	case errors.Is(e.err, context.Canceled):
		return w.conn.send(message{Failed: &failed{ID: t.ID, Error: e.err.Error(), Cancelled: true}})
	}
	return errors.Join(e.err, w.conn.send(message{Failed: &failed{ID: t.ID, Error: e.err.Error(), Refused: fault.Of(e.err) == fault.Usage}}))
}

// leave ends the task under way, if it can be ended, and tells what came of it.
func (w *serving) leave() error {
	if w.task == nil {
		return nil
	}
	w.cancel()
	select {
	case e := <-w.ended:
		return w.tell(e)
	case <-time.After(patience):
		return ErrBusy
	}
}

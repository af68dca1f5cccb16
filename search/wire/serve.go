package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search"
	"moncae/search/algorithm"
)

// longest is the most bytes of a line.
const longest = 1 << 20

// Serve answers the questions of in until it ends and all trainings are over, or
// until ctx is; then it finishes the evaluator.
func Serve(ctx context.Context, e *search.Evaluator, jobs int, in io.Reader, out io.Writer) error {
	s := &server{evaluator: e, jobs: jobs, out: out, pending: map[string]bool{}}
	err := s.read(ctx, in)
	if err != nil {
		e.Cancel()
	}
	return errors.Join(err, e.Finish())
}

type server struct {
	evaluator *search.Evaluator
	jobs      int

	mu      sync.Mutex // guards what follows
	out     io.Writer
	pending map[string]bool // ids of trainings that are not over
}

// read answers line by line; lines come from a goroutine of their own, for a read
// can't be interrupted.
func (s *server) read(ctx context.Context, in io.Reader) error {
	lines := make(chan line)
	go func() {
		defer close(lines)
		for r, n := bufio.NewReader(in), 1; ; n++ {
			l := readLine(r)
			l.number = n
			select {
			case lines <- l:
			case <-s.evaluator.Over():
				return
			}
			if l.err != nil {
				return
			}
		}
	}()
	for {
		select {
		case l := <-lines:
			if len(bytes.TrimSpace(l.text)) > 0 || l.long {
				if err := s.answer(l); err != nil {
					return err
				}
			}
			if errors.Is(l.err, io.EOF) {
				return nil
			}
			if l.err != nil {
				return l.err
			}
		case <-s.evaluator.Over():
			return ctx.Err() // what else ended it, Finish tells
		}
	}
}

// line is one of the input; the last one comes with an error.
type line struct {
	number int
	text   []byte
	long   bool // longer than what is kept
	err    error
}

func readLine(r *bufio.Reader) (l line) {
	for more := true; more; {
		var part []byte
		part, more, l.err = r.ReadLine()
		if l.err != nil {
			return l
		}
		if len(l.text)+len(part) > longest {
			l.long = true
		} else {
			l.text = append(l.text, part...)
		}
	}
	return l
}

// answer answers a line, or has it answered when its training is over. Only what
// keeps answers from being written is an error.
func (s *server) answer(l line) error {
	q, err := parse(l)
	a := answer{Op: q.Op, ID: q.ID, Status: ok}
	if err == nil {
		err = s.ask(q, &a)
	}
	switch {
	case errors.Is(err, errLater):
		return nil
	case err != nil:
		a = answer{ID: q.ID, Status: wrong, Error: err.Error(), Line: l.number}
	}
	return s.write(a)
}

func parse(l line) (q question, err error) {
	if l.long {
		return q, fmt.Errorf("the line is longer than %d bytes", longest)
	}
	d := json.NewDecoder(bytes.NewReader(l.text))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return q, fmt.Errorf("no question: %s", fault.Text(err))
	}
	if d.More() {
		return q, errors.New("more than one question in a line")
	}
	if c := bytes.TrimSpace(q.ID); len(c) > 0 && (c[0] == '{' || c[0] == '[') {
		q.ID = nil
		return q, errors.New("id is no string and no number")
	}
	return q, nil
}

// errLater means that a training will answer.
var errLater = errors.New("later")

func (s *server) ask(q question, a *answer) error {
	if q.Op == opSpace {
		a.space = s.space()
		return nil
	}
	if q.Op != opDescribe && q.Op != opEvaluate {
		return fmt.Errorf("op %q is unknown: it is %s, %s or %s", q.Op, opSpace, opDescribe, opEvaluate)
	}
	g, err := s.evaluator.Config().Space.FromParameters(q.Params)
	if err != nil {
		return err
	}
	n, err := s.evaluator.Describe(g)
	if err != nil {
		a.Status, a.Error = refused, err.Error()
		return nil
	}
	if q.Op == opEvaluate {
		return s.evaluate(q, n)
	}
	a.Objectives, a.network = run.Static(n.Arch), &network{n.Identity, n.Arch.Latent()}
	return nil
}

func (s *server) space() *space {
	c := s.evaluator.Config()
	sp := &space{
		Names: c.Objectives, Exact: []string{}, Reference: s.evaluator.Reference(), Bounds: c.Bounds,
		Image: s.evaluator.Shape(), MaxSteps: s.evaluator.Steps(), Jobs: s.jobs, Parameters: c.Space.Parameters(),
		Data: s.evaluator.Fingerprint(), Seed: c.Seed, ValidationSeed: c.SplitSeed(),
	}
	for _, name := range c.Objectives {
		if name != run.ObjectiveLoss && name != run.ObjectiveProbe {
			sp.Exact = append(sp.Exact, name)
		}
	}
	return sp
}

// evaluate has a network trained; its training answers.
func (s *server) evaluate(q question, n *algorithm.Network) error {
	key := string(q.ID)
	if key == "" || key == "null" {
		return errors.New("id is missing: answers come in the order in which trainings end")
	}
	s.mu.Lock()
	again := s.pending[key]
	s.pending[key] = true
	s.mu.Unlock()
	if again {
		return fmt.Errorf("id %s is under way", key)
	}
	s.evaluator.Start(n, q.Seed, func(e search.Evaluation) error {
		a := answer{Op: q.Op, ID: q.ID, Status: ok, Objectives: e.Values, network: &network{n.Identity, n.Arch.Latent()}, result: &result{Steps: e.Steps, Seconds: e.Seconds}}
		if e.Failure != "" {
			a.Status, a.Error = failed, e.Failure
		} else {
			a.Figures = &e.Figures
		}
		s.mu.Lock()
		delete(s.pending, key)
		s.mu.Unlock()
		return s.write(a)
	})
	return errLater
}

func (s *server) write(a answer) error {
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.out.Write(append(text, '\n'))
	return err
}

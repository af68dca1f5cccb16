package scale

import "math"

// state is what a worker's time goes to.
type state int

const (
	away state = iota
	loading
	starting
	resting
	atWork
	storing // its result waits to be kept
	states
)

// worker is a process on a node, and what comes in its place.
type worker struct {
	state    state
	node     *node
	slowness float64 // 1: as fast as the trainings were measured
	life     int     // that death ends
	try      *try    // nil: none
}

type node struct {
	workers []*worker
	life    int // that preemption ends
}

// arrive has all nodes begin. One that has the data gives it to one other at a time.
func (s *simulation) arrive() {
	for i := 0; len(s.workers) < s.Workers; i++ {
		n := &node{}
		for len(n.workers) < max(1, s.NodeWorkers) && len(s.workers) < s.Workers {
			w := &worker{node: n, state: loading}
			n.workers, s.workers = append(n.workers, w), append(s.workers, w)
			s.in[loading]++
		}
		s.load(n, math.Floor(math.Log2(float64(i+1)))+1)
		s.preempt(n)
	}
}

// load brings a node the data, which it has to wait for the times of so many travels.
func (s *simulation) load(n *node, travels float64) {
	life := n.life
	s.clock.in(travels*s.Data/s.Bandwidth, func() {
		for _, w := range n.workers {
			if n.life == life {
				s.start(w)
			}
		}
	})
}

func (s *simulation) start(w *worker) {
	s.become(w, starting)
	w.life++
	life := w.life
	s.clock.in(s.Start, func() {
		if w.life != life {
			return
		}
		w.slowness = 1
		if s.rng.Float64() < s.Slow {
			w.slowness = s.SlowBy
		}
		s.rest(w)
		if s.Failure > 0 {
			s.clock.in(s.rng.ExpFloat64()*s.Failure, func() {
				if w.life == life {
					s.result.Deaths++
					s.bury(w)
					s.start(w)
					s.work()
				}
			})
		}
		s.work()
	})
}

func (s *simulation) preempt(n *node) {
	if s.Preemption <= 0 {
		return
	}
	s.clock.in(s.rng.ExpFloat64()*s.Preemption, func() {
		s.result.Preemptions++
		n.life++
		for _, w := range n.workers {
			s.bury(w)
			w.life++
			s.become(w, away)
		}
		s.clock.in(s.Away, func() {
			for _, w := range n.workers {
				s.become(w, loading)
			}
			s.load(n, 1)
			s.preempt(n)
		})
		s.work()
	})
}

// bury ends what a worker is at; its training goes on from its last checkpoint.
func (s *simulation) bury(w *worker) {
	for i, other := range s.idle {
		if other == w {
			s.idle = append(s.idle[:i], s.idle[i+1:]...)
			break
		}
	}
	t := w.try
	w.try = nil
	if t == nil || t.ended { // what waits to be kept is here already
		return
	}
	s.leave(t)
	if t.over {
		s.spend(t, 0, Twice)
		return
	}
	whole := 0.0 // seconds that a checkpoint has
	if s.Checkpoint > 0 {
		whole = math.Floor((s.now-t.began)/s.Checkpoint) * s.Checkpoint
	}
	kept := max(t.kept, t.from+whole/t.worker.slowness)
	s.spend(t, kept-t.kept, Redone)
	t.kept = kept
	t.hurt = true
	t.deaths++
	switch {
	case len(t.tries) > 0:
	case t.deaths < mostDeaths:
		s.again = append(s.again, t.training)
	default:
		t.over = true
		s.result.Failed++
		s.useful -= t.kept
		s.lost[Redone] += t.kept
		s.order.Done(t.place)
		s.decide()
	}
}

// rest has a worker wait for something to do.
func (s *simulation) rest(w *worker) {
	s.become(w, resting)
	s.idle = append(s.idle, w)
}

func (s *simulation) become(w *worker, next state) {
	s.in[w.state]--
	s.in[next]++
	w.state = next
}

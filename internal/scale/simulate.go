package scale

import (
	"math/rand/v2"

	"moncae/internal/schedule"
)

// Limits of what is modelled.
const (
	checkpointBytes = 4 // of a checkpoint, in those of weights: Adam's two moments, the best, and the last
	mostDeaths      = 2 // of a training's workers, after which it has failed
)

// Simulate tries a plan on a cluster; chance is drawn by the seed.
func Simulate(p Plan, c Cluster, seed uint64) Result {
	s := &simulation{
		Cluster: c, plan: p, rng: rand.New(rand.NewPCG(seed, uint64(c.Workers))),
		order: schedule.NewCourse(len(p.Tasks), p.Sees), queue: schedule.NewQueue[*training](0), trainings: make([]*training, len(p.Tasks)),
		lost: map[string]float64{}, result: Result{Workers: c.Workers},
	}
	for k, t := range p.Tasks {
		s.trainings[k] = &training{Task: t, place: k}
	}
	s.arrive()
	s.decide()
	for !s.order.Over() {
		e, ok := s.next()
		if !ok {
			panic("scale: nothing comes, and the search is not over")
		}
		s.pass(e.at)
		e.do()
	}
	return s.end()
}

// simulation is one under way.
type simulation struct {
	Cluster
	clock
	plan Plan
	rng  *rand.Rand

	order     *schedule.Course
	queue     *schedule.Queue[*training]
	again     []*training // whose worker died
	trainings []*training
	deciding  bool
	kept      float64 // when the coordinator will have kept all that came

	workers []*worker
	idle    []*worker // the one that is taken next is last
	spare   []*try    // that others can have the place of
	oldest  []*try    // by their beginning; some have ended
	late    schedule.Late
	looked  bool // at late trainings, at a time that is to come

	in     [states]int // workers by state
	lost   map[string]float64
	useful float64
	result Result
}

// training is a place's.
type training struct {
	Task
	place  int
	kept   float64 // seconds of it in its last checkpoint
	deaths int
	tries  []*try
	over   bool
	hurt   bool // a worker of it died
}

// Size is how a queue orders it.
func (t *training) Size() (cost float64, bytes int64) { return t.Cost, 0 }

// try is a worker's at a training.
type try struct {
	*training
	worker *worker
	from   float64 // seconds of the training that were done before
	began  float64
	spare  bool
	ended  bool
}

// decide asks for all trainings that may be, one after the other, and tells results.
func (s *simulation) decide() {
	for !s.deciding && !s.order.Over() {
		var asked []*training
		for k, ok := s.order.Ask(); ok; k, ok = s.order.Ask() {
			asked = append(asked, s.trainings[k])
		}
		if len(asked) > 0 {
			s.deciding = true
			s.clock.in(s.Decision*float64(len(asked)), func() { s.decided(asked) })
			return
		}
		if !s.order.Ready() {
			return
		}
		s.order.Tell()
	}
}

func (s *simulation) decided(asked []*training) {
	s.deciding = false
	for _, t := range asked {
		if t.Seconds > 0 {
			s.result.Trainings++
			s.queue.Add(t)
		} else {
			t.over = true
			s.order.Done(t.place)
		}
	}
	s.decide()
	s.work()
}

// work gives idle workers what waits.
func (s *simulation) work() {
	for s.queue.Len()+len(s.again) > 0 {
		if len(s.idle) == 0 && !s.giveUp() {
			return
		}
		if len(s.again) > 0 {
			s.begin(s.again[0], false)
			s.again = s.again[1:]
			continue
		}
		t, _ := s.queue.Take()
		s.begin(t, false)
	}
	s.backUp()
}

func (s *simulation) begin(t *training, spare bool) {
	w := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	s.become(w, atWork)
	w.try = &try{training: t, worker: w, from: t.kept, began: s.now, spare: spare}
	t.tries = append(t.tries, w.try)
	if spare {
		s.spare = append(s.spare, w.try)
	} else {
		s.oldest = append(s.oldest, w.try)
	}
	mine := w.try
	s.clock.in((t.Seconds-t.kept)*w.slowness, func() { s.finish(mine) })
}

// finish has the coordinator keep a result, which its worker waits for.
func (s *simulation) finish(t *try) {
	if t.ended {
		return
	}
	if t.over {
		s.spend(t, 0, Twice)
		s.free(t)
		s.work()
		return
	}
	t.over = true
	s.late.Ended(s.now - t.began)
	s.spend(t, t.Seconds-t.kept, Twice)
	s.leave(t)
	s.spare = append(s.spare, t.tries...)
	s.become(t.worker, storing)
	s.kept = max(s.kept, s.now) + s.keeping(t.Bytes)
	s.clock.in(s.kept-s.now, func() {
		if t.worker.try == t {
			t.worker.try = nil
			s.rest(t.worker)
		}
		s.order.Done(t.place)
		s.decide()
		s.work()
	})
}

// keeping is how long the coordinator takes for a result, beside the checkpoints of all
// that is under way.
func (s *simulation) keeping(bytes float64) float64 {
	each := func(bytes float64) float64 { return 1/s.Results + bytes/s.Bandwidth }
	load := 0.0
	if s.Checkpoint > 0 {
		load = float64(s.in[atWork]) / s.Checkpoint * each(checkpointBytes*bytes)
	}
	return each(bytes) / max(0.01, 1-load)
}

// leave takes a try from its training.
func (s *simulation) leave(t *try) {
	t.ended = true
	for i, other := range t.tries {
		if other == t {
			t.tries = append(t.tries[:i:i], t.tries[i+1:]...)
			break
		}
	}
}

// free has a try's worker do something else.
func (s *simulation) free(t *try) {
	s.leave(t)
	t.worker.try = nil
	s.rest(t.worker)
}

// giveUp frees the worker of a try that isn't needed.
func (s *simulation) giveUp() bool {
	for len(s.spare) > 0 {
		t := s.spare[0]
		s.spare = s.spare[1:]
		if t.ended || !t.over && len(t.tries) < 2 {
			continue
		}
		s.spend(t, 0, Twice)
		s.free(t)
		return true
	}
	return false
}

// backUp has idle workers try late trainings too.
func (s *simulation) backUp() {
	for s.Backup && len(s.idle) > 0 && len(s.oldest) > 0 {
		t := s.oldest[0]
		if t.ended || t.over || len(t.tries) != 1 {
			s.oldest = s.oldest[1:]
			continue
		}
		if due := t.began + s.late.After() - s.now; due > 0 {
			if !s.looked && due < maxSeconds {
				s.looked = true
				s.clock.in(due, func() { s.looked = false; s.work() })
			}
			return
		}
		s.oldest = s.oldest[1:]
		s.result.Backups++
		s.begin(t.training, true)
	}
}

// maxSeconds is more than any simulation takes.
const maxSeconds = 1e12

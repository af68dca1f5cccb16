package scale

// pass notes what the workers that don't train wait for until a time, which comes.
func (s *simulation) pass(until float64) {
	seconds := until - s.now
	s.now = until
	if seconds == 0 {
		return
	}
	for state, cause := range [states]string{away: Preempted, loading: Data, starting: Starting, storing: Keeping, resting: s.waiting()} {
		if n := s.in[state]; n > 0 && cause != "" {
			s.lost[cause] += float64(n) * seconds
		}
	}
}

// spend notes what a try's time went to: so many useful seconds, and what more they took
// on a slow worker; the rest is lost.
func (s *simulation) spend(t *try, useful float64, rest string) {
	took := s.now - t.began
	s.useful += useful
	s.lost[Stragglers] += took - took/t.worker.slowness
	s.lost[rest] += took/t.worker.slowness - useful
}

// waiting is why idle workers have nothing to do.
func (s *simulation) waiting() string {
	if s.deciding {
		return Deciding
	}
	t := s.trainings[s.order.Next()]
	for _, try := range t.tries {
		if try.worker.slowness > 1 {
			return Stragglers
		}
	}
	if t.hurt {
		return Redone
	}
	return s.plan.Waits
}

// end counts what is under way, and makes shares of times.
func (s *simulation) end() Result {
	for _, w := range s.workers {
		if w.try != nil && !w.try.ended {
			s.spend(w.try, 0, Twice)
		}
	}
	r := s.result
	r.Wall = s.now
	for _, t := range s.plan.Tasks {
		r.Work += t.Seconds
	}
	all := float64(r.Workers) * r.Wall
	r.Utilisation, r.Lost = s.useful/all, map[string]float64{}
	for cause, seconds := range s.lost {
		r.Lost[cause] = seconds / all
		if r.Limit == "" || r.Lost[cause] > r.Lost[r.Limit] || r.Lost[cause] == r.Lost[r.Limit] && cause < r.Limit {
			r.Limit = cause
		}
	}
	return r
}

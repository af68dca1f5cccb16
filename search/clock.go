package search

import (
	"cmp"
	"math"
	"slices"

	"moncae/internal/run"
	"moncae/internal/train"
)

// A search for a time ends its generations and plans its finetuning by the clock, and
// journals what it decides: a resumption goes on with the same decisions. Trainings
// under way when the time is over end with the best weights that they have.

// Shares of a search's time.
const (
	generationsEnd = 0.6  // of the time for trainings, when no more generations begin
	trainingsEnd   = 0.96 // when trainings are to be over, less afterwards
	trainingsHalt  = 0.99 // when those under way are ended, less afterwards
	trialShare     = 0.25 // of what is left for finetuning, for the trial of every size
	worthARound    = 0.08 // what is left must be more than this for another round
)

// afterwards are the seconds that the front, exports and latencies take at the end, but
// for PCA of a few sizes.
const (
	afterwards = 3
	sizesAtEnd = 3
)

// leastSteps is the shortest finetuning worth its compilation.
const leastSteps = 10

// searchedTwice is how many times the generations that are planned a search may have,
// should trainings be faster than they were.
const searchedTwice = 2

// mostRounds bounds the rounds of finetuning of a search for a time.
const mostRounds = 5

// What a validation image costs, of what one costs in training: after each epoch, and
// once more at the end, where its structural similarity is measured.
const (
	forward  = 0.35
	lastLook = 0.45
)

// validated is what the validations of a training cost, counted in its images.
func (s *Study) validated(epochs int) float64 {
	return (forward*float64(epochs) + lastLook) * float64(len(s.validation))
}

// used are the seconds of the run so far, in all its sessions.
func (s *Study) used() float64 { return s.state.Seconds + s.options.Now().Sub(s.began).Seconds() }

// until is when a share of the time is over, in seconds of the run.
func (s *Study) until(share float64) float64 {
	return share*s.config.Time - afterwards - sizesAtEnd*s.aSize
}

// searchEnd is when no more generations begin. What came before the plan was made, the
// reading of the data say, is no time for trainings.
func (s *Study) searchEnd() float64 {
	return s.planned + generationsEnd*(s.until(trainingsEnd)-s.planned)
}

// halt is what ends trainings when the time is over; nil where there is none, and where
// the search is over: a finetuning that is asked for later has all its epochs.
func (s *Study) halt() func() bool {
	if s.config.Time == 0 || s.state.Over() {
		return nil
	}
	return func() bool { return s.used() > s.until(trainingsHalt) }
}

// decide journals a decision of the clock. The configuration is to follow it when no
// training reads it.
func (s *Study) decide(d run.Clock) error {
	return s.append(d, func() {
		s.state.Clock = append(s.state.Clock, d)
		s.options.Observer(Decided{d})
	})
}

// atOnce is how many trainings of the search run side by side.
func (s *Study) atOnce() int {
	if w := s.config.Window; w > 0 {
		return min(w, s.options.Jobs)
	}
	return s.options.Jobs
}

// goesOn tells whether generation g begins. One that has begun is ended.
func (e *evolution) goesOn(g int) bool {
	if e.config.Time == 0 || g == 0 || g < e.state.Next() {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	seconds, n := 0.0, 0
	for _, c := range e.state.Candidates {
		if c.Generation >= g {
			return true
		}
		if c.Search != nil && c.Generation == g-1 {
			seconds, n = seconds+c.Seconds, n+1
		}
	}
	takes := max(e.used()-e.mark, seconds/float64(max(1, n))*float64(e.config.Population)/float64(e.atOnce()))
	e.mark = e.used()
	return e.used()+takes/2 <= e.searchEnd() && e.used()+takes <= e.until(trainingsEnd)
}

// expected are the generations that a search has, generation g included, as far as that
// is known.
func (e *evolution) expected(g int) int {
	switch {
	case e.ends.Generations > 0:
		return e.ends.Generations
	case e.config.Time > 0:
		return max(g+1, e.config.Generations/searchedTwice)
	}
	return e.config.Generations
}

// nextRound decides on round i of finetuning, unless the clock has; not ok is that
// there is none.
func (s *Study) nextRound(i int) (ok bool, err error) {
	if i < len(s.config.Finetune.Rounds()) {
		return true, nil
	}
	if s.config.Time == 0 || s.state.Over() {
		return false, nil
	}
	d := run.Clock{Round: s.roundOf(i)}
	d.Over = d.Round == nil
	s.config = s.config.With(d)
	return !d.Over, s.decide(d)
}

// roundOf is the round that the time left is for: first a trial of every size's best,
// where there is time for one, then what is left for the front. nil: for none.
func (s *Study) roundOf(i int) *run.Round {
	left := s.until(trainingsEnd) - s.used()
	if i > 1 && left < worthARound*s.config.Time || i >= mostRounds {
		return nil
	}
	if i == 0 {
		if r := s.fitting(run.ScopeSizes, i, trialShare*left); r != nil && r.Images == 0 {
			return r
		}
	}
	return s.fitting(run.ScopeFront, i, left)
}

// fitting is a round that takes so many seconds; nil where it would be too short.
func (s *Study) fitting(scope string, i int, seconds float64) *run.Round {
	c := s.config.With(run.Clock{Round: &run.Round{Scope: scope}})
	var costs []float64
	for _, m := range s.state.Chosen(c, s.reference, i) {
		costs = append(costs, s.perImage(m))
	}
	if len(costs) == 0 {
		return nil
	}
	images := seconds / makespan(costs, s.options.Jobs)
	epochs, limit := s.course(images, len(s.training))
	if images < float64(leastSteps*s.config.Batch)+s.validated(1) || limit == 0 && epochs < 1 {
		return nil
	}
	return &run.Round{Scope: scope, Epochs: epochs, Images: limit}
}

// course makes epochs of so many images, those of validations counted by what they
// cost: of all rows, or where these would be few epochs, of as many as it takes
// (limit; 0: all).
func (s *Study) course(images float64, rows int) (epochs, limit int) {
	whole := (images - s.validated(0)) / (float64(rows) + s.validated(1) - s.validated(0))
	if whole >= 4 {
		return int(whole), 0
	}
	epochs = max(1, int(math.Ceil(whole-0.05)))
	limit = int((images - s.validated(epochs)) / float64(epochs))
	limit = max(limit/s.config.Batch, 1) * s.config.Batch
	if limit >= rows {
		limit = 0
	}
	return epochs, limit
}

// perImage are the seconds that an image of a candidate's training takes a worker, by
// the last one.
func (s *Study) perImage(c *Candidate) float64 {
	for _, f := range slices.Backward(s.state.Finetunings) {
		if f.ID == c.ID && f.Epochs > 0 {
			images := len(s.training)
			if r := s.config.Finetune.Rounds()[f.Round]; r.Images > 0 {
				images = r.Images
			}
			return f.Seconds / (float64(f.Epochs*images) + s.validated(f.Epochs))
		}
	}
	images := float64(c.Steps*train.Batch(s.config.Batch, len(s.limited))) + s.validated(len(c.Search.History))
	return c.Seconds / max(1, images)
}

// makespan is how long so many workers take for jobs, the longest first.
func makespan(costs []float64, workers int) float64 {
	costs = slices.Clone(costs)
	slices.SortFunc(costs, func(a, b float64) int { return cmp.Compare(b, a) })
	ends := make([]float64, max(1, workers))
	for _, c := range costs {
		first := slices.Index(ends, slices.Min(ends))
		ends[first] += c
	}
	return slices.Max(ends)
}

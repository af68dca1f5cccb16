package search

import (
	"context"
	"errors"
	"slices"
	"time"

	"moncae/internal/arch"
	"moncae/internal/run"
	"moncae/internal/schedule"
	"moncae/search/algorithm"
	"moncae/search/genome"
	"moncae/search/surrogate"
)

// evolve asks the algorithm for what is to be trained, has it trained, and tells
// the results, until the last generation is closed.
func (s *Study) evolve(ctx context.Context) error {
	if s.state.Next() >= s.config.Generations {
		return nil
	}
	if s.config.Time > 0 && s.aSize == 0 { // resumed
		s.measurePCA()
	}
	n := s.config.Population * s.config.Generations
	a := algorithm.New(s.config.Algorithm, s.problem())
	e := &evolution{
		Study: s, algorithm: a, crew: hire(ctx, s.options.Jobs, s.options.Memory),
		order: schedule.NewCourse(n, a.Sees), places: make([]place, n), finished: make(chan int, n), begin: time.Now(), mark: s.used(),
	}
	err := e.run()
	if err != nil {
		e.crew.cancel()
	}
	err = first(e.crew.finish(), err)
	s.config = s.config.With(e.ends)
	return err
}

// evolution is the part of a study in which candidates are asked for.
type evolution struct {
	*Study
	algorithm algorithm.Algorithm
	crew      *crew
	order     *schedule.Course
	places    []place
	mark      float64       // seconds of the run when the clock was last asked
	ends      run.Clock     // the clock's decision, where it has made one
	announced int           // generations that observers heard of
	finished  chan int      // places whose training is over
	times     run.Times     // since a generation was closed
	begin     time.Time     // when it was
	idle      time.Duration // of the crew until then
}

// place is one of the search's, as far as it was asked for.
type place struct {
	id   string // of the candidate that takes it
	sort sort
}

// sort is what a place is when it is asked for.
type sort int

const (
	unasked sort = iota
	known        // a candidate that is there, or comes with a place before
	refused
	toTrain
)

func (e *evolution) run() error {
	for !e.order.Over() {
		jobs, err := e.ask()
		if err != nil {
			return err
		}
		if e.order.Over() {
			return nil
		}
		e.announce()
		e.crew.add(jobs...)
		for !e.order.Ready() {
			select {
			case k := <-e.finished:
				e.order.Done(k)
			case <-e.crew.ctx.Done():
				return e.crew.ctx.Err()
			}
		}
		if err := e.tell(); err != nil {
			return err
		}
	}
	return nil
}

// ask asks for all places that may be asked for, and gives what is to be trained.
func (e *evolution) ask() (jobs []job, err error) {
	for k, ok := e.order.Ask(); ok; k, ok = e.order.Ask() {
		if g := k / e.config.Population; k%e.config.Population == 0 && !e.goesOn(g) {
			e.order.End(k)
			e.places = e.places[:k]
			e.ends.Generations = g
			return jobs, e.decide(e.ends)
		}
		p := e.algorithm.Ask(k)
		if p.Known != "" {
			e.known(k, p.Known)
			continue
		}
		c := e.candidate(k, p)
		switch done, err := e.isDone(c); {
		case err != nil:
			return nil, err
		case done:
			e.known(k, c.ID)
		case p.Network == nil:
			e.places[k] = place{c.ID, refused}
			e.order.Done(k)
			if err := e.record(c); err != nil {
				return nil, err
			}
		default:
			e.places[k] = place{c.ID, toTrain}
			rungs := e.rungs(k, p.Network)
			j := e.job(p.Network.Arch, len(e.limited)*e.config.Epochs, func(ctx context.Context) error {
				return e.evaluate(ctx, *c, p.Network.Arch, rungs, &e.times)
			})
			j.after = func() { e.finished <- k }
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// known has a place take a candidate that is there, or comes with a place before.
func (e *evolution) known(k int, id string) {
	e.places[k] = place{id, known}
	e.order.Done(k)
}

// announce tells observers of the generation that is told next.
func (e *evolution) announce() {
	next := e.order.Next()
	g := next / e.config.Population
	if g < e.announced {
		return
	}
	e.announced = g + 1
	if g < e.state.Next() {
		return
	}
	started := GenerationStarted{Generation: g, Of: e.expected(g), ImagesPerEpoch: len(e.limited), Epochs: e.config.Epochs}
	for i, p := range e.places[next : next+e.config.Population] {
		switch {
		case p.sort == known || p.sort == unasked && e.recorded(run.CandidateID(g, i)) != nil:
			started.Known++
		case p.sort == refused:
			started.Refused++
		default:
			started.ToTrain++
		}
	}
	e.emit(started)
}

// tell gives the algorithm the next result; with the last of a generation, it is closed.
func (e *evolution) tell() error {
	e.algorithm.Tell(e.trial(e.places[e.order.Next()].id))
	e.order.Tell()
	told := e.order.Next()
	g := told/e.config.Population - 1
	if told%e.config.Population > 0 || g < e.state.Next() {
		return nil
	}
	return e.close(g)
}

// close puts a generation's front and record on the disk. Candidates of later
// generations may be done; they don't count yet.
func (e *evolution) close(g int) error {
	e.mu.Lock()
	candidates := slices.Clone(e.state.Candidates)
	e.mu.Unlock()
	candidates = slices.DeleteFunc(candidates, func(c *Candidate) bool { return c.Generation > g })
	front, err := e.writeSoon(candidates)
	if err != nil {
		return err
	}
	record := run.Generation{Generation: g, Population: e.algorithm.Population(), Hypervolume: front.Hypervolume, Times: e.spentTimes()}
	return e.append(record, func() {
		e.state.Close(record)
		e.options.Observer(GenerationFinished{Generation: g, Of: e.expected(g), Front: front, Times: record.Times})
	})
}

// spentTimes are those since the last call.
func (e *evolution) spentTimes() run.Times {
	e.mu.Lock()
	defer e.mu.Unlock()
	idle := e.crew.idle()
	e.times.Idle, e.times.Wall = run.Seconds(max(0, idle-e.idle)), run.Seconds(time.Since(e.begin))
	times := e.times.Rounded()
	e.times, e.begin, e.idle = run.Times{}, time.Now(), idle
	return times
}

// problem is the run as an algorithm sees it.
func (s *Study) problem() algorithm.Problem {
	place := func(k int) (generation, index int) { return k / s.config.Population, k % s.config.Population }
	return algorithm.Problem{
		Space: s.config.Space, Population: s.config.Population, Generations: s.config.Generations, Spread: s.config.Spread, First: s.config.Init,
		Seed:      func(k int) uint64 { return s.seed(place(k)) },
		ID:        func(k int) string { return run.CandidateID(place(k)) },
		Window:    s.config.Window,
		Reference: s.reference, Objectives: s.guesses(), Bounded: s.bounded(),
		Describe: s.describe,
		Inherit:  s.config.Inherit, Epochs: s.config.Epochs,
	}
}

// bounded tells whether sizes of latents are bounded, and no objective.
func (s *Study) bounded() (bounded bool) {
	for _, size := range []string{run.ObjectiveLOC, run.ObjectiveBits} {
		if slices.Contains(s.config.Objectives, size) {
			return false
		}
		bounded = bounded || s.config.Uses(size)
	}
	return bounded
}

// guesses are the objectives: which of them are exact, and how the others are guessed.
func (s *Study) guesses() []algorithm.Objective {
	var all []algorithm.Objective
	prior := surrogate.Learned()
	if s.config.Inherit {
		prior = prior.Inheriting()
	}
	for _, name := range s.config.Objectives {
		o := algorithm.Objective{Name: name}
		switch name {
		case run.ObjectiveLoss:
			o.Target, o.Prior = lossTarget(s.blend, s.mean, s.floor), prior
		case run.ObjectiveProbe:
			o.Target, o.Prior = surrogate.Target{Nothing: s.guess()}, prior.Flat()
		default:
			o.Exact = func(a arch.Arch) float64 { return run.Static(a)[name] }
		}
		all = append(all, o)
	}
	return all
}

// describe decodes a genome; one that can't become a member of the front, or
// breaks a limit, is an error.
func (s *Study) describe(g genome.Genome) (*algorithm.Network, error) {
	a, recipe, err := s.config.Space.Decode(g, s.set.Shape, genome.Limits{FLOPs: s.maxFLOPs()})
	if err == nil {
		err = hopeless(s.config, run.Static(a), s.reference)
	}
	if err != nil {
		return nil, err
	}
	return &algorithm.Network{Arch: a, Recipe: recipe, Identity: arch.Identity(a, recipe)}, nil
}

// candidate is what was proposed for place k, before its training.
func (s *Study) candidate(k int, p algorithm.Proposal) *Candidate {
	g, i := k/s.config.Population, k%s.config.Population
	c := &Candidate{ID: run.CandidateID(g, i), Generation: g, Index: i, Origin: p.Origin, Parents: p.Parents, Inherited: p.Inherited, Genome: p.Genome, Forecast: p.Forecast}
	if n := p.Network; n != nil {
		c.Identity, c.Recipe, c.Latent, c.Params, c.FLOPs = n.Identity, n.Recipe, n.Arch.Latent(), n.Arch.ParamCount(), n.Arch.FLOPs()
	} else {
		c.Failure = "refused: " + p.Refusal
	}
	return c
}

// trial is a candidate as an algorithm sees it. Finetuning changes no decision.
func (s *Study) trial(id string) algorithm.Trial {
	c := s.recorded(id)
	t := algorithm.Trial{ID: c.ID, Genome: c.Genome, Identity: c.Identity}
	if c.Search != nil {
		t.Point, t.Epochs = s.config.Point(c.Search.Values), c.Search.Epochs
	}
	return t
}

// seed is that of a candidate's drawing and training.
func (s *Study) seed(generation, index int) uint64 {
	return seedOf(s.config.Seed, generation, index, "candidate")
}

// first prefers an error that ended a search to the cancellations it caused.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

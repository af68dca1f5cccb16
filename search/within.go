package search

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/task"
)

// LeastTime is the shortest time that a search plans itself for, in seconds.
const LeastTime = 30

// CreateWithin begins a run that is to be over, exports included, c.Time seconds after
// o.Began. It measures some trainings, and plans by them, by the images and by how
// many trainings run at once, how many candidates a generation has and how long
// each is trained; the clock decides on the rest as the search goes on.
func CreateWithin(ctx context.Context, path string, c Config, set *dataset.Set, o Options) (*Study, error) {
	if c.Time < LeastTime {
		return nil, fault.Usagef("--time: %v s is too short for a search: give 30s or more", c.Time)
	}
	base := trainings(c, set.Rows())
	c.Finetune.Epochs, c.Finetune.Trial, c.Finetune.Scope = 0, 0, run.ScopeSizes
	s, err := newStudy(c, set, o)
	if err != nil {
		return nil, err
	}
	if err := s.plan(ctx, base); err != nil {
		return nil, err
	}
	return s, s.begin(path)
}

// ForTime has a search of little time measure on fewer images, where there are many: a
// short training's validation would take longer than the training. A split of the data set's
// own stays whole.
func ForTime(c Config, images int) Config {
	if c.ValidationSplit != "" {
		return c
	}
	const aSecond = 8 // validation images for each of the search
	if most := max(500, aSecond*c.Time); c.Validation*float64(images) > most {
		c.Validation = most / float64(images)
	}
	return c
}

// effort is what a search puts into it.
type effort struct {
	trainings float64
	steps     float64 // of each
}

// times is an effort of so many times the work, shared evenly among both.
func (e effort) times(x float64) effort {
	const leastTrainings, leastSteps = 4, 50
	return effort{max(leastTrainings, e.trainings*math.Sqrt(x)), max(leastSteps, e.steps*math.Sqrt(x))}
}

// trainings are those of a preset, of no more images than its epochs are meant for.
func trainings(c Config, images int) effort {
	steps := max(1, (images-int(c.Validation*float64(images)))/max(1, c.Batch))
	return effort{float64(c.Population * c.Generations), float64(c.Epochs * min(steps, epochImages/max(1, min(c.Batch, usualBatch))))}
}

// Generations are how many the search has, as far as that is known: those of a search
// for a time are as many as were planned, until the clock has decided.
func (s *Study) Generations() int {
	if s.config.Time > 0 && len(s.state.Clock) == 0 {
		return s.config.Generations / searchedTwice
	}
	return s.config.Generations
}

// plan fits the configuration to the time, between what a preset's shares of trainings
// and steps are.
func (s *Study) plan(ctx context.Context, base effort) error {
	s.measurePCA()
	pace, err := s.measurePace(ctx)
	if err != nil {
		return err
	}
	c := &s.config
	if c.Window > 0 {
		c.Window = max(c.Window, s.options.Jobs)
	}
	s.planned = s.used()
	have := (s.searchEnd() - s.planned) * float64(s.atOnce())
	course := func(e effort) (epochs, limit int) {
		return s.course(e.steps*float64(c.Batch)+s.validated(1), len(s.limited))
	}
	takes := func(e effort) float64 {
		epochs, limit := course(e)
		if limit == 0 {
			limit = len(s.limited)
		}
		return e.trainings * (pace.fixed + pace.perImage*(float64(epochs*limit)+s.validated(epochs)))
	}
	low, high := -20.0, 20.0 // powers of two
	for range 40 {
		if middle := (low + high) / 2; takes(base.times(math.Exp2(middle))) <= have {
			low = middle
		} else {
			high = middle
		}
	}
	e := base.times(math.Exp2(low))
	ratio := base.trainings / float64(c.Population*c.Population) // generations for a candidate of a population
	c.Population = max(len(c.Init), min(64, max(4, int(math.Round(math.Sqrt(e.trainings/ratio))))))
	c.Generations = searchedTwice * max(1, int(math.Round(e.trainings/float64(c.Population))))
	var limit int
	if c.Epochs, limit = course(e); limit > 0 {
		c.TrainLimit = limit
		s.limited = dataset.Sample(s.set, s.training, c.TrainLimit, c.Seed)
		s.rows.limited = task.RowsOf(s.limited)
	}
	return c.Validate()
}

// pcaShare is the share of the time that PCA of one size may take.
const pcaShare = 0.2

// measurePCA does what all sizes need, before the clock is asked, and tells by one size
// how many values there is time for: work grows with them and, where they are many,
// with their square.
func (s *Study) measurePCA() {
	const probe, margin = 16.0, 32.0
	s.pcas.at(1)
	begin := s.used()
	s.pcas.at(probe)
	s.aSize = s.used() - begin
	d := float64(s.set.Shape.Values())
	for n := 2 * probe; n < d; n *= 2 {
		if s.aSize*(n+margin)/(probe+margin)*(1+(n+margin)/d) > pcaShare*s.config.Time {
			s.pcas.most = int(n / 2)
			return
		}
	}
}

// pace is how long trainings take here.
type pace struct {
	perImage float64 // seconds of a worker, in the space's networks in the mean
	fixed    float64 // seconds of a training beside
}

// Trainings to measure by: their steps at first, and the share of the time, in
// seconds no more than mostMeasured, that they take then.
const (
	firstSteps   = 20
	measureShare = 0.04
	mostMeasured = 15
	fixedSeconds = 0.1 // a training's files, and PCA of its size
)

// measurePace trains networks of several sizes side by side, first a little, then as
// long as that says.
func (s *Study) measurePace(ctx context.Context) (p pace, err error) {
	networks, err := s.drawn()
	if err != nil {
		return p, err
	}
	mean := 0.0
	for _, n := range networks {
		mean += cost(n.Arch, 1) / float64(len(networks))
	}
	var some []*algorithm.Network
	for i := range max(4, s.options.Jobs) {
		some = append(some, networks[min(len(networks)-1, (2*i+1)*len(networks)/(2*max(4, s.options.Jobs)))])
	}
	unload, err := s.options.Trainer.Load(s.set)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, unload()) }()
	perCost, err := s.secondsACost(ctx, some, firstSteps)
	if err != nil {
		return p, err
	}
	total := 0.0
	for _, n := range some {
		total += cost(n.Arch, 1)
	}
	seconds := min(mostMeasured, measureShare*s.config.Time) * float64(s.options.Jobs)
	steps := (seconds/(perCost*total) - s.validated(1)) / float64(s.config.Batch)
	if steps = min(steps, float64(len(s.training)/s.config.Batch)); steps > 2*firstSteps {
		if perCost, err = s.secondsACost(ctx, some, int(steps)); err != nil {
			return p, err
		}
	}
	return pace{perCost * mean, fixedSeconds}, nil
}

// drawn are networks of the space that may be trained, the cheapest first.
func (s *Study) drawn() (networks []*algorithm.Network, err error) {
	rng := rand.New(rand.NewPCG(s.config.Seed, draws))
	for range draws {
		n, refused := s.describe(s.config.Space.Random(rng))
		if err = refused; err == nil {
			networks = append(networks, n)
		}
	}
	if len(networks) == 0 {
		return nil, fault.Usagef("none of %d drawn networks may be trained (%w): give larger limits", draws, err)
	}
	slices.SortFunc(networks, func(a, b *algorithm.Network) int {
		return int(math.Copysign(1, cost(a.Arch, 1)-cost(b.Arch, 1)))
	})
	return networks, nil
}

// secondsACost trains networks for so many steps, and gives the seconds of a worker for
// an image's unit of cost. What fails to train is left out.
func (s *Study) secondsACost(ctx context.Context, networks []*algorithm.Network, steps int) (float64, error) {
	rows := task.RowsOf(s.training[:min(len(s.training), max(1, steps)*s.config.Batch)])
	seconds, units, ends := 0.0, 0.0, s.used()+measureShare*s.config.Time
	var jobs []job
	for i, n := range networks {
		t := task.Training{Arch: n.Arch, Recipe: n.Recipe, Epochs: 1, Seed: seedOf(s.config.Seed, i, steps, "pace"), Train: rows}
		s.complete(&t)
		jobs = append(jobs, s.job(n.Arch, len(rows.Numbers), func(ctx context.Context) error {
			begin := s.options.Now()
			out, _, err := s.measured(ctx, t, task.Watch{Progress: func(int) {}, Halt: func() bool { return s.used() > ends }})
			if err != nil {
				return fmt.Errorf("measuring how fast trainings are: %w", err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if out.Failure == "" {
				images := float64(out.Steps*train.Batch(s.config.Batch, len(rows.Numbers))) + s.validated(1)
				seconds, units = seconds+s.options.Now().Sub(begin).Seconds(), units+cost(n.Arch, 1)*images
			}
			return nil
		}))
	}
	if _, err := runJobs(ctx, jobs, s.options.Jobs, s.options.Memory); err != nil {
		return 0, err
	}
	if units == 0 {
		return 0, errors.New("none of the networks that were to tell how fast trainings are could be trained")
	}
	return max(seconds, 1e-6) / units, nil
}

package search

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/algorithm"
	"moncae/search/moo"
)

func TestSameSeedSameFrontWhateverTheJobs(t *testing.T) {
	t.Parallel()
	for _, name := range algorithm.Names {
		c := config(t)
		c.SetAlgorithm(name)
		var fronts []string
		for _, jobs := range []int{1, 4} {
			fronts = append(fronts, complete(t, create(t, filepath.Join(t.TempDir(), "run"), c, Options{Jobs: jobs, Memory: int64(jobs) << 24})))
		}
		if fronts[0] != fronts[1] {
			t.Errorf("%s: one job gives\n%s\nfour give\n%s", name, fronts[0], fronts[1])
		}
		c.Seed++
		if other := complete(t, create(t, filepath.Join(t.TempDir(), "run"), c, Options{})); other == fronts[0] {
			t.Errorf("%s: another seed gives the same front", name)
		}
	}
}

func TestValidationSeedDrawsTheSplitAlone(t *testing.T) {
	t.Parallel()
	c := config(t)
	of := func() (split []int64, front string) {
		s := create(t, filepath.Join(t.TempDir(), "run"), c, Options{})
		return s.validationIDs(), complete(t, s)
	}
	split, front := of()
	c.ValidationSeed = new(c.Seed)
	if same, _ := of(); !slices.Equal(same, split) {
		t.Error("drawn by the run's own seed, the split is another one")
	}
	c.Seed++
	same, other := of()
	if !slices.Equal(same, split) {
		t.Error("two seeds with one for the split validate on different images")
	}
	if other == front {
		t.Error("another seed gives the same front")
	}
	c.ValidationSeed = new(uint64)
	if split, _ := of(); slices.Equal(split, same) {
		t.Error("0 draws the split that the run's seed draws")
	}
}

func TestNoNetworkIsTrainedTwice(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Population, c.Generations = 10, 6
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, c, Options{}))
	r := open(t, path)
	seen := map[string]string{}
	ids := map[string]bool{}
	for _, cand := range r.Candidates {
		if ids[cand.ID] {
			t.Errorf("%s stands there twice", cand.ID)
		}
		ids[cand.ID] = true
		if cand.Identity == "" {
			continue
		}
		if other := seen[cand.Identity]; other != "" {
			t.Errorf("%s and %s are one network", cand.ID, other)
		}
		seen[cand.Identity] = cand.ID
	}
	if len(r.Generations) != 6 || !r.Finished || len(r.Population) != 10 {
		t.Errorf("generations %v, population %v, finished %v", r.Generations, r.Population, r.Finished)
	}
	for g := 1; g < len(r.Generations); g++ {
		if r.Generations[g].Hypervolume < r.Generations[g-1].Hypervolume {
			t.Errorf("the hypervolume falls from %v to %v in generation %d", r.Generations[g-1].Hypervolume, r.Generations[g].Hypervolume, g)
		}
	}
}

func TestFailuresAreRecordedWithoutAScore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, config(t), Options{}))
	r := open(t, path)
	failed := 0
	for _, c := range r.Candidates {
		if c.Failure == "" != (c.Search != nil) {
			t.Errorf("%s: failure %q, result %v", c.ID, c.Failure, c.Search)
		}
		if c.Failure != "" {
			failed++
			if _, err := r.Select(c.ID); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.Failure) {
				t.Errorf("%s was selected: %v", c.ID, err)
			}
		}
	}
	if failed == 0 || failed != r.Front.Failed {
		t.Errorf("%d failed, the front says %d; the fake fails one in seven", failed, r.Front.Failed)
	}
}

func TestMembersKeepTheirPromises(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Bounds = []run.Bound{{Objective: run.ObjectiveLOC, Most: 1.6}, {Objective: run.ObjectiveParams, Most: 20000}}
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, c, Options{}))
	r := open(t, path)
	if len(r.Front.Members) == 0 {
		t.Fatal("no members")
	}
	var points []moo.Point
	for _, m := range r.Front.Members {
		cand, err := r.Candidate(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, c.Point(m.Objectives))
		if m.Objectives["loss"] != cand.Best().Figures.BCE || m.LOC != math.Log10(float64(m.Values)) || m.Values != m.Latent.Values() {
			t.Errorf("member %+v of candidate %+v", m, cand)
		}
		if m.LOC > 1.6 || m.Params > 20000 || m.Objectives["loss"] >= r.Front.Reference[0] {
			t.Errorf("%s breaks a bound or the reference: %+v", m.ID, m)
		}
		for _, other := range r.Candidates {
			if other.Search != nil && other.Best().Values.Within(c.Bounds) && c.Point(other.Best().Values).Dominates(c.Point(m.Objectives)) {
				t.Errorf("%s is dominated by %s", m.ID, other.ID)
			}
		}
		if m.PCA == nil == (m.Values < 54) { // 54 training images, 64 values
			t.Errorf("%d values: PCA %v", m.Values, m.PCA)
		}
	}
	if hv := moo.Hypervolume(points, r.Front.Reference); hv != r.Front.Hypervolume {
		t.Errorf("hypervolume %v, the members have %v", r.Front.Hypervolume, hv)
	}
}

// Generations don't wait for PCA, the search's end does.
func TestGenerationsDontWaitForPCA(t *testing.T) {
	t.Parallel()
	var s *Study
	generations := 0
	s = create(t, filepath.Join(t.TempDir(), "run"), config(t), Options{Observer: func(e Event) {
		if g, ok := e.(GenerationFinished); ok {
			for _, m := range g.Front.Members {
				if m.PCA != nil {
					t.Errorf("generation %d, %s: PCA of %d values, and no one may compute it", g.Generation, m.ID, m.Values)
				}
			}
			if generations++; generations == g.Of {
				s.pcas.computing.Unlock()
			}
		}
	}})
	s.pcas.computing.Lock()
	complete(t, s)
	compared := 0
	for _, m := range open(t, s.dir.Path).Front.Members {
		if m.PCA != nil {
			compared++
		}
	}
	if generations != 4 || compared == 0 || s.pcas.wanted != nil {
		t.Errorf("%d generations, %d members beside PCA, %v still wanted", generations, compared, s.pcas.wanted)
	}
}

func TestMemoryFailsWhatCantFit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, config(t), Options{Memory: 60000}))
	for _, c := range open(t, path).Candidates {
		if strings.Contains(c.Failure, "out of memory") {
			return
		}
	}
	t.Error("no candidate was too large for 60,000 bytes")
}

func TestEventsTellTheStory(t *testing.T) {
	t.Parallel()
	var started, finished, trained, generations, finetunings, finetuned int
	s := create(t, filepath.Join(t.TempDir(), "run"), config(t), Options{Observer: func(e Event) {
		switch e := e.(type) {
		case GenerationStarted:
			if e.ToTrain+e.Known+e.Refused != 6 {
				t.Errorf("%+v: the population is 6", e)
			}
		case CandidateStarted:
			started++
		case Trained:
			trained += e.Images
		case CandidateFinished:
			if e.Finetuning || e.Candidate.Network != nil {
				finished++
			}
		case GenerationFinished:
			generations++
			if e.Front.Hypervolume <= 0 || e.Times.Wall <= 0 {
				t.Errorf("%+v", e)
			}
		case FinetuneStarted:
			finetunings += e.Candidates
		case FinetuneFinished:
			finetuned++
			if e.Times.Store <= 0 || e.Times.Wall <= 0 {
				t.Errorf("%+v", e)
			}
		}
	}})
	complete(t, s)
	if started != finished || generations != 4 || finetunings == 0 || finetuned != 1 || trained < 54*started {
		t.Errorf("%d started, %d finished, %d images, %d generations, %d finetunings", started, finished, trained, generations, finetunings)
	}
}

// The front tells how good forecasts were; runs without any tell nothing.
func TestForecastsAreHeldAgainstTheResults(t *testing.T) {
	t.Parallel()
	for _, name := range []string{algorithm.EHVI, algorithm.Moncae} {
		c := config(t)
		c.SetAlgorithm(name)
		c.Population, c.Generations = 6, 2
		path := filepath.Join(t.TempDir(), "run")
		complete(t, create(t, path, c, Options{}))
		r := open(t, path)
		scored := 0
		for _, c := range r.Candidates {
			if c.Search != nil {
				scored++
			}
		}
		got, there := r.Front.Calibration[run.ObjectiveLoss]
		if there != (name == algorithm.EHVI) || there && (got.Trainings != scored || !(math.Abs(got.RankCorrelation) <= 1)) {
			t.Errorf("%s: %+v of %d scored candidates", name, r.Front.Calibration, scored)
		}
	}
}

// Trainings that are stopped early are decided by what the proposals saw: the same
// for any number of jobs, and after a resume. None of them comes onto the front.
func TestEarlyStops(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.EarlyStop, c.Population, c.Generations = true, 12, 4
	var fronts []string
	for _, jobs := range []int{1, 4} {
		path := filepath.Join(t.TempDir(), "run")
		fronts = append(fronts, complete(t, create(t, path, c, Options{Jobs: jobs})))
		stopped := 0
		r := open(t, path)
		for _, cand := range r.Candidates {
			if cand.Stopped {
				stopped++
				if slices.ContainsFunc(r.Front.Members, func(m Member) bool { return m.ID == cand.ID }) {
					t.Errorf("%s was stopped, and is on the front", cand.ID)
				}
			}
		}
		if stopped < 3 {
			t.Errorf("%d of %d trainings were stopped", stopped, len(r.Candidates))
		}
	}
	if fronts[0] != fronts[1] {
		t.Errorf("one job gives\n%s\nfour give\n%s", fronts[0], fronts[1])
	}
	c.Population, c.Finetune.Epochs = 8, 0
	resumeFrom(t, c, 5)
	c.Objectives = []string{run.ObjectiveProbe, run.ObjectiveLOC}
	if err := c.Validate(); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "stopping early") {
		t.Errorf("with a probe: %v", err)
	}
}

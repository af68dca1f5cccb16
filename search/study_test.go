package search

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/search/algorithm"
	"moncae/search/moo"
	"moncae/search/task"
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

// A process that is killed leaves a beginning of the journal; every beginning
// that ends with a record leads to the same front.
func TestResumeFromEveryRecord(t *testing.T) {
	for name, every := range map[string]int{algorithm.Moncae: 1, algorithm.EHVI: 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			c.SetAlgorithm(name)
			c.Population, c.Generations = 4, 3
			resumeFrom(t, c, every)
		})
	}
}

func resumeFrom(t *testing.T, c Config, every int) {
	path := filepath.Join(t.TempDir(), "run")
	want := complete(t, create(t, path, c, Options{Jobs: 2}))
	journal, err := os.ReadFile(filepath.Join(path, rundir.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(journal, []byte("\n"))
	for n := 2; n < len(lines); n += every {
		torn := append(bytes.Join(lines[:n], nil), `{"seq":`...)
		if err := os.WriteFile(filepath.Join(path, rundir.JournalFile), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := complete(t, resumed(t, path, Options{Jobs: 2})); got != want {
			t.Fatalf("resumed after record %d (%s):\n%s\nwant\n%s", n, lines[n-1], got, want)
		}
		if _, err := rundir.Verify(path); err != nil {
			t.Fatalf("resumed after record %d: %v", n, err)
		}
	}
}

func TestCancelledAgainAndAgain(t *testing.T) {
	t.Parallel()
	c := config(t)
	want := complete(t, create(t, filepath.Join(t.TempDir(), "run"), c, Options{}))
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, c, Options{})
	for sessions := 1; ; sessions++ {
		ctx, cancel := context.WithCancel(context.Background())
		finished := 0
		s.options.Observer = func(e Event) {
			if _, ok := e.(CandidateFinished); ok {
				if finished++; finished == 5 {
					cancel()
				}
			}
		}
		_, err := s.Run(ctx)
		cancel()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			if sessions < 3 {
				t.Errorf("only %d sessions", sessions)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		s = resumed(t, path, Options{})
	}
	if got := frontFile(t, path); got != want {
		t.Errorf("interrupted:\n%s\nuninterrupted:\n%s", got, want)
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

func TestFinetuningIsRecorded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, config(t), Options{})
	before := s.Front()
	complete(t, s)
	r := open(t, path)
	improved, kept := 0, 0
	for _, c := range r.Candidates {
		switch {
		case c.Finetuned == nil:
			kept++
		case c.Finetuned.Epochs != c.Search.Epochs+3 || c.Finetuned.Weights.Path == c.Search.Weights.Path:
			t.Errorf("%s: search %+v, finetuned %+v", c.ID, c.Search, c.Finetuned)
		default:
			improved++
		}
	}
	if improved == 0 || kept == 0 || len(before.Members) != 0 {
		t.Errorf("%d improved, %d kept; %d members before the search", improved, kept, len(before.Members))
	}
	s = resumed(t, path, Options{})
	id := r.Front.Members[0].ID
	if _, err := s.Finetune(context.Background(), []string{id}, 5, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := rundir.Verify(path); err != nil {
		t.Error(err)
	}
	if _, err := open(t, path).Trained(id); err != nil {
		t.Error(err)
	}
}

func TestTrialChoosesWhatIsFinetuned(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.Finetune = run.Finetune{Scope: run.ScopeSizes, Trial: 2, Epochs: 3}
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, c, Options{})
	complete(t, s)
	rounds := map[int]map[string]int{0: {}, 1: {}}
	for _, f := range s.state.Finetunings {
		rounds[f.Round][f.ID] = f.Epochs
	}
	for _, m := range s.state.Chosen(c, s.reference, 1) {
		if rounds[1][m.ID] != 3 {
			t.Errorf("%s is on the front after the trial: %d epochs", m.ID, rounds[1][m.ID])
		}
	}
	for id, epochs := range rounds[0] {
		if epochs != 2 {
			t.Errorf("trial of %s: %d epochs", id, epochs)
		}
	}
	if len(rounds[1]) == 0 || len(rounds[1]) >= len(rounds[0]) {
		t.Errorf("%d tried, %d finetuned", len(rounds[0]), len(rounds[1]))
	}
	s = resumed(t, path, Options{})
	if _, err := s.Finetune(context.Background(), []string{s.state.Candidates[0].ID}, 5, nil); err != nil {
		t.Fatal(err)
	}
	if last := s.state.Finetunings[len(s.state.Finetunings)-1]; last.Round != 2 {
		t.Errorf("a later finetuning is round %d", last.Round)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !open(t, path).Finished {
		t.Error("not finished")
	}
}

func TestScopesOfFinetuning(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for _, scope := range run.Scopes {
		c := config(t)
		c.Finetune.Scope = scope
		s := create(t, filepath.Join(t.TempDir(), "run"), c, Options{})
		complete(t, s)
		counts[scope] = len(s.state.Finetunings)
		sizes := map[int]bool{}
		for _, f := range s.state.Finetunings {
			sizes[s.state.ByID(f.ID).Latent.Values()] = true
		}
		for _, cand := range s.state.Candidates {
			able := cand.Search != nil && c.Point(cand.Search.Values).Better(s.reference)
			if scope == run.ScopeSizes && able && !sizes[cand.Latent.Values()] {
				t.Errorf("no candidate with %d values was finetuned", cand.Latent.Values())
			}
		}
		if !open(t, s.dir.Path).Finished {
			t.Errorf("%s: not finished", scope)
		}
	}
	if counts[run.ScopeFront] >= counts[run.ScopeSizes] || counts[run.ScopeFront] >= counts[run.ScopePopulation] {
		t.Errorf("finetuned: %v", counts)
	}
}

func TestResumeNeedsTheSameData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, config(t), Options{}))
	_, err := Resume(path, images(59), Options{Engine: fakeEngine{}})
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "fingerprint") {
		t.Errorf("%v", err)
	}
	// The lock was given back.
	complete(t, resumed(t, path, Options{}))
}

// otherEngine is the fake engine on another device.
type otherEngine struct{ fakeEngine }

func (otherEngine) Info() engine.Info {
	i := fakeEngine{}.Info()
	i.Model, i.ISA, i.Workers = "another", "wider", 5
	return i
}

// coarseEngine is the fake engine on a device that has bfloat16 too.
type coarseEngine struct{ fakeEngine }

func (coarseEngine) Info() engine.Info {
	i := fakeEngine{}.Info()
	i.Precisions = append(i.Precisions, engine.BFloat16)
	return i
}

func TestAutomaticPrecisionIsThatOfTheDeviceWhereTheRunBegan(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	c := config(t)
	c.Precision = engine.Auto
	s := create(t, path, c, Options{Engine: coarseEngine{}})
	front, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r := open(t, path); r.Config.Precision != engine.BFloat16 {
		t.Errorf("run.json has precision %s", r.Config.Precision)
	}
	if _, err := Resume(path, images(60), Options{Engine: fakeEngine{}}); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "precision bf16") {
		t.Errorf("on a device without it: %v", err)
	}
	s = resumed(t, path, Options{Elsewhere: true})
	if _, err := s.Finetune(t.Context(), []string{front.Members[0].ID}, 5, nil); err != nil {
		t.Errorf("finetuning elsewhere: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestResumeKeepsTheEngineOrRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	if err := create(t, path, config(t), Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	began, err := RecordedEngine(path)
	if want := (engine.Class{Engine: "fake", Precision: engine.Float32}); err != nil || began != want {
		t.Fatalf("recorded is %+v (%v), want %+v", began, err, want)
	}
	s, err := Resume(path, images(60), Options{Engine: otherEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Run(t.Context())
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "here another; instruction set , here wider") {
		t.Errorf("on another device: %v", err)
	}
	if early := CheckEngine(path, otherEngine{}.Info()); early == nil || err == nil || early.Error() != err.Error() {
		t.Errorf("before the data are read it is %v", early)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	complete(t, resumed(t, path, Options{}))
}

func TestValidationIDs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, config(t), Options{})
	complete(t, s)
	ids := open(t, path).Manifest.ValidationIDs
	if len(ids) != 6 || !slices.IsSorted(ids) { // a tenth of 60
		t.Errorf("validation ids %v", ids)
	}
	for _, id := range ids {
		if slices.Contains(s.training, int32(id)) {
			t.Errorf("image %d is trained on and validated on", id)
		}
	}
	// The default reference: the mean training image's BCE on validation images.
	mean := make([]float64, 64)
	for _, r := range s.training {
		for k, v := range s.set.Image(int(r)) {
			mean[k] += float64(v) / 255 / 54
		}
	}
	bce := 0.0
	for _, r := range s.validation {
		for k, v := range s.set.Image(int(r)) {
			m := min(max(mean[k], 1e-4), 1-1e-4)
			x := float64(v) / 255
			bce -= (x*math.Log(m) + (1-x)*math.Log(1-m)) / 6 / 64
		}
	}
	if got := s.Reference(); math.Abs(got[0]-bce) > 1e-6*bce || got[1] != math.Log10(64) {
		t.Errorf("reference %v, want [%v %v]", got, bce, math.Log10(64))
	}
}

func TestTrainLimitIsForTheSearchAlone(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.TrainLimit = 20
	s := create(t, filepath.Join(t.TempDir(), "run"), c, Options{})
	if len(s.limited) != 20 || len(s.training) != 54 {
		t.Errorf("%d of %d training images", len(s.limited), len(s.training))
	}
	for _, r := range s.limited {
		if !slices.Contains(s.training, r) {
			t.Errorf("row %d is not a training image", r)
		}
	}
	complete(t, s)
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

func TestSkippedImagesKeepTheirIDs(t *testing.T) {
	t.Parallel()
	set := images(40)
	set.IDs = make([]int64, 40)
	for i := range set.IDs {
		set.IDs[i] = int64(2 * i)
	}
	path := filepath.Join(t.TempDir(), "run")
	s, err := Create(path, config(t), set, Options{Engine: fakeEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	s.options.Trainer = task.NewHere(fakeEngine{}, fakeFit)
	complete(t, s)
	for _, id := range open(t, path).Manifest.ValidationIDs {
		if id%2 != 0 {
			t.Errorf("validation id %d", id)
		}
	}
	one := *images(1)
	if _, err := Create(filepath.Join(t.TempDir(), "run"), config(t), &one, Options{Engine: fakeEngine{}}); fault.Of(err) != fault.Usage {
		t.Errorf("one image: %v", err)
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

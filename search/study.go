package search

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"moncae/internal/baseline"
	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/train"
	"moncae/internal/version"
	"moncae/search/moo"
	"moncae/search/task"
)

// Options are what a study runs on; nothing of it changes the result, but that a
// candidate that Memory can't hold alone is recorded as failed.
type Options struct {
	Engine   engine.Engine // that trains in this process
	Trainer  task.Trainer  // instead of it
	Jobs     int           // candidates trained at once; 0: as many as the engine has workers
	Memory   int64         // bytes for all trainings at once (arch.TrainingBytes); 0: no limit
	Observer Observer
	// CheckpointEvery is how often a training under way is kept, so that it goes on
	// after a kill; 0: never.
	CheckpointEvery time.Duration
	// Recorded hears of each of the study's own journal records when it is on the
	// disk, in the journal's order, by kind and data; never beside Observer.
	Recorded func(kind string, data any)
	FS       durable.FS
	// Elsewhere lets the device lack the precision that the run began with: trainings
	// take the device's own then.
	Elsewhere bool
	// Began is when the session's time began; the zero time: now. Now is the clock of
	// searches for a time; nil: time.Now.
	Began time.Time
	Now   func() time.Time
}

// Study is a run under way. One goroutine uses it.
type Study struct {
	config  Config
	options Options
	set     *dataset.Set
	dir     *rundir.Dir
	// fingerprint is that of set.
	fingerprint string
	reference   moo.Point
	// Row numbers of set, ascending: all training images, those of them that the
	// search uses, and the validation images.
	training, limited, validation []int32
	mean                          baseline.Loss
	blend                         graph.Blend // of the configuration's loss
	floor                         float64
	pcas                          *pcas
	rows                          taskRows
	began                         time.Time
	planned                       float64 // seconds of the run when its plan was made; 0: by another session
	aSize                         float64 // seconds that PCA of one more size takes, where it was measured
	live                          *live

	mu    sync.Mutex // guards what follows, and the observer; nobody appends to the journal under it
	state run.State
}

// taskRows are the rows of trainings.
type taskRows struct {
	training, limited, validation task.Rows
	probe                         task.Probe
}

// Create begins a run in the folder path, which must not hold anything.
func Create(path string, c Config, set *dataset.Set, o Options) (*Study, error) {
	s, err := newStudy(c, set, o)
	if err != nil {
		return nil, err
	}
	return s, s.begin(path)
}

// begin makes the run's folder.
func (s *Study) begin(path string) error {
	c, set := s.config, s.set
	config, err := json.Marshal(c)
	if err != nil {
		return err
	}
	preprocess, err := json.Marshal(set.Info.Preprocess)
	if err != nil {
		return err
	}
	info := s.options.Trainer.Info()
	class, err := json.Marshal(info.Class(c.Precision))
	if err != nil {
		return err
	}
	var repeatable *bool
	if info.Name == engine.Mixed || c.Time > 0 {
		repeatable = new(bool)
	}
	columns, err := set.Info.Columns.JSON()
	if err != nil {
		return err
	}
	s.dir, err = rundir.Create(path, rundir.Manifest{
		Run: c.RunID(s.fingerprint), Moncae: version.Number(), Seed: c.Seed,
		Objectives: c.Objectives, Reference: s.reference, Config: config, Preprocess: preprocess, EngineClass: class, Repeatable: repeatable,
		Data: rundir.Data{
			Name: set.Name, Source: set.Info.Path, Fingerprint: s.fingerprint, Shape: set.Shape, TrainRows: set.Rows(), Columns: columns, TestFraction: set.Info.TestFraction,
		},
		ValidationIDs: s.validationIDs(),
	}, s.options.FS)
	if err != nil {
		return err
	}
	s.state, err = run.Replay(c, nil)
	return err
}

// Resume opens a run to continue it with the data that it began with.
func Resume(path string, set *dataset.Set, o Options) (*Study, error) {
	dir, err := rundir.Open(path, o.FS)
	if err != nil {
		return nil, err
	}
	s, err := resume(dir, set, o)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return s, nil
}

func resume(dir *rundir.Dir, set *dataset.Set, o Options) (*Study, error) {
	c, err := run.ConfigOf(dir)
	if err != nil {
		return nil, err
	}
	m := dir.Manifest
	if got := dataset.Fingerprint(set); got != m.Data.Fingerprint {
		return nil, fault.Usagef("%s: the data's fingerprint is %.16s…, the run began with %.16s… (%s, %v, %d images): give it the same data and preprocessing",
			dir.Path, got, m.Data.Fingerprint, m.Data.Name, m.Data.Shape, m.Data.TrainRows)
	}
	s, err := newStudy(c, set, o)
	if err != nil {
		return nil, err
	}
	s.dir, s.reference = dir, m.Reference
	if !slices.Equal(s.validationIDs(), m.ValidationIDs) {
		return nil, fault.Damagedf("%s: field validation_ids is not the split of this data by this moncae (the run was made by %s)", dir.Path, m.Moncae)
	}
	if s.state, err = run.Replay(c, dir.Records()); err != nil {
		return nil, err
	}
	s.config = s.state.Decided(c)
	return s, s.dropStale()
}

// newStudy splits the data and measures what needs no network.
func newStudy(c Config, set *dataset.Set, o Options) (*Study, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if o.Trainer == nil {
		o.Trainer = task.NewHere(o.Engine, train.Autoencoder)
	}
	info := o.Trainer.Info()
	if o.Jobs <= 0 {
		o.Jobs = max(1, info.Workers)
	}
	if o.Elsewhere && !slices.Contains(info.Precisions, c.Precision) {
		c.Precision = engine.Auto
	}
	c.Precision = info.Resolve(c.Precision)
	if err := engine.CheckPrecision(c.Precision, info.Precisions); err != nil {
		return nil, fault.Usagef("%s on %s: %w", info.Name, info.Device, err)
	}
	if o.Observer == nil {
		o.Observer = func(Event) {}
	}
	if o.Recorded == nil {
		o.Recorded = func(string, any) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Began.IsZero() {
		o.Began = o.Now()
	}
	s := &Study{config: c, options: o, set: set, fingerprint: dataset.Fingerprint(set), began: o.Began}
	s.live = newLive(s, o.Observer)
	s.options.Observer = s.live.observe
	var err error
	if s.training, s.validation, err = c.Divide(set); err != nil {
		return nil, err
	}
	s.limited = dataset.Sample(set, s.training, c.TrainLimit, c.Seed)
	if s.blend, err = c.Loss.Blend(); err != nil {
		return nil, err
	}
	mean := dataset.StatsOf(set, s.training).Mean
	s.mean = baseline.MeanImage(set, mean, s.validation)
	if s.blend.SSIM > 0 {
		s.mean.Similarity = baseline.MeanSimilarity(set, mean, s.validation)
	}
	s.floor = dataset.StatsOf(set, s.validation).Floor
	s.pcas = newPCAs(baseline.NewPCA(set, s.training), s.validation)
	if c.Uses(run.ObjectiveProbe) {
		if err := s.checkProbe(); err != nil {
			return nil, err
		}
	}
	s.rows = s.taskRows()
	if err := s.feasible(); err != nil {
		return nil, err
	}
	if s.reference, err = reference(c, set.Shape, s.blend, s.mean, s.quickError); err != nil {
		return nil, err
	}
	return s, attainable(c, s.reference, s.blend, s.floor)
}

func (s *Study) taskRows() taskRows {
	r := taskRows{training: task.RowsOf(s.training), limited: task.RowsOf(s.limited), validation: task.RowsOf(s.validation)}
	if s.config.Uses(run.ObjectiveProbe) {
		learn, measure := s.probeRows()
		r.probe = task.Probe{Train: task.RowsOf(learn), Validation: task.RowsOf(measure)}
	}
	return r
}

func (s *Study) validationIDs() []int64 {
	ids := make([]int64, len(s.validation))
	for i, r := range s.validation {
		ids[i] = s.set.ID(int(r))
	}
	return ids
}

// Config is the run's configuration.
func (s *Study) Config() Config { return s.config }

// Reference is the run's reference point, in the order of the objectives.
func (s *Study) Reference() moo.Point { return slices.Clone(s.reference) }

// ValidationImages is how many images fitness comes from.
func (s *Study) ValidationImages() int { return len(s.validation) }

// Run does what is left of the study: generations, finetuning, the front. An
// engine of another class than the one that the run began on is refused. When
// ctx ends, its error comes back, and everything finished is on the disk.
func (s *Study) Run(ctx context.Context) (front Front, err error) {
	if err := checkEngine(s.dir, s.options.Trainer.Info()); err != nil {
		return front, err
	}
	unload, err := s.load()
	if err != nil {
		return front, err
	}
	defer func() { err = errors.Join(err, unload()) }()
	defer s.live.end()
	defer s.pcas.rest()
	defer func() { err = errors.Join(err, s.noteConvolutions()) }()
	if err := s.evolve(ctx); err != nil {
		return front, err
	}
	if err := s.finetuneAll(ctx); err != nil {
		return front, err
	}
	return s.writeFront()
}

// load brings the data to the device and notes the session.
func (s *Study) load() (unload func() error, err error) {
	if err := s.append(run.Session{Moncae: version.Number(), Engine: s.options.Trainer.Info(), Jobs: s.options.Jobs}, func() {}); err != nil {
		return nil, err
	}
	return s.options.Trainer.Load(s.set)
}

// noteConvolutions journals what the engine chose, where it chooses.
func (s *Study) noteConvolutions() error {
	chooser, ok := s.options.Trainer.(engine.Chooser)
	if !ok {
		return nil
	}
	c := chooser.Convolutions()
	if c.Empty() {
		return nil
	}
	return s.append(run.Convolutions{Convolutions: c}, func() {})
}

// Close gives the run directory back.
func (s *Study) Close() error { return s.dir.Close() }

// append journals an entry and lets it be known; then takes it in, under the lock, in
// the journal's order.
func (s *Study) append(e run.Entry, then func()) error {
	kind, data := run.Record(s.options.Now().Sub(s.began), e)
	return s.dir.AppendThen(kind, data, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.options.Recorded(kind, data)
		then()
	})
}

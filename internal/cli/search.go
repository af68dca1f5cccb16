package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"moncae/internal/dataset"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/shell"
	"moncae/internal/view"
	"moncae/search"
)

type searchOptions struct {
	data       dataFlags
	config     configFlags
	run        string
	resume     bool
	init       []string
	device     string
	jobs       int
	workers    workerFlags
	memory     int64
	checkpoint time.Duration
	noExport   bool
	events     int
	evaluate   bool
	began      time.Time
	library    string
	json       bool
	verbose    bool
}

func (a *app) newSearch() *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:   "search --run DIR",
		Short: "Search autoencoders for a data set",
		Long: `Search autoencoders for a data set: train generations of candidates, keep the front of
reconstruction loss against level of compression, train it on, and export it as ONNX.

Everything is kept in the folder --run. A search that was interrupted goes on with
--resume and ends with the front that it would have had.

Fitness is measured on validation images, which are training images set apart.`,
		Example: `  moncae search --run digits
  moncae search --data photos/ --image-size 64x64 --run photos-run
  moncae search --data mnist --preset standard --seed 29 --run mnist-29
  moncae search --run digits-2 --seed 29 --init digits
  moncae search --data photos/ --time 10m --run photos-10m
  moncae search --run mnist-29 --resume
  moncae search --evaluate --data mnist < questions.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.search(cmd, &o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.run, "run", "r", "", "`folder` that the run is kept in (required)")
	f.BoolVar(&o.resume, "resume", false, "go on with the run in --run")
	f.StringArrayVar(&o.init, "init", nil, "begin the first generation with the networks of this run's front, or with the network in this arch.json: a `path`; can be repeated")
	o.data.locate(f, dataset.Default)
	o.data.prepare(f)
	o.config.add(f)
	addDevice(f, &o.device)
	f.IntVarP(&o.jobs, "jobs", "j", 0, "candidates trained at once; the result does not depend on it (default one a core)")
	o.workers.add(f)
	f.Var(bytesFlag{&o.memory}, "memory", "memory that all trainings at once may take, for example 4G (default no limit)")
	addCheckpoint(f, &o.checkpoint)
	f.BoolVar(&o.noExport, "no-export", false, "don't export the front as ONNX at the end")
	addLibrary(f, &o.library)
	f.IntVar(&o.events, "events", 0, "write what happens as JSON lines to this open file `descriptor`, 3 or above, for a program that shows it")
	f.BoolVar(&o.evaluate, "evaluate", false, "keep no run; train what another program asks for by lines of JSON on the standard input, and answer by lines on the standard output")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "a line for each finished candidate beside the bar")
	addJSON(cmd, &o.json)
	return cmd
}

func (a *app) search(cmd *cobra.Command, o *searchOptions) (err error) {
	o.began = time.Now()
	if err := o.workers.check(o.jobs); err != nil {
		return err
	}
	if o.evaluate {
		return a.evaluate(cmd, o)
	}
	if o.run == "" {
		return fault.Usagef("--run is missing: name the folder that the search is to be kept in, for example --run digits")
	}
	events, err := a.openEvents(o.events)
	if err != nil {
		return err
	}
	defer events.close()
	study, err := a.open(cmd, o, events)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, study.close()) }()
	front, err := study.Run(cmd.Context())
	study.progress.end()
	if errors.Is(err, context.Canceled) {
		return goOn{err, fmt.Sprintf("what is done is in %s; go on with `%s`", o.run, goOnWith(o.run))}
	}
	if errors.Is(err, engine.ErrLost) {
		return fmt.Errorf("%w; what is done is in %s; go on with `%s`", err, o.run, goOnWith(o.run))
	}
	if err != nil {
		return err
	}
	study.progress.times()
	if !o.noExport {
		if err := a.exportFront(cmd.Context(), o, study, front); err != nil {
			return err
		}
	}
	latency := measureLatency(o.run, front, o.library)
	if o.json {
		err = a.printJSON(latency.beside(front))
	} else {
		err = a.printFront(o.run, front, latency)
	}
	if err == nil && len(front.Members) == 0 {
		return errors.New(study.WhyEmpty())
	}
	if err != nil || o.json {
		return err
	}
	fmt.Fprintf(a.Err, "\nThe run is in %s. See `%s`.\n", o.run, shell.Line("moncae", "front", o.run, "--plot", "front.png", "--gallery", "gallery.png"))
	return nil
}

// goOnWith is the command that goes on with a run.
func goOnWith(path string) string {
	return shell.Line("moncae", "search", "--run", path, "--resume")
}

// study is a search.Study with what it runs on.
type study struct {
	*search.Study
	set      *dataset.Set
	trainer  *trainer
	progress *progress
	closers  []func() error
}

func (s *study) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}

// open begins a run, or opens the one to resume. What can be refused is refused
// before the data are read.
func (a *app) open(cmd *cobra.Command, o *searchOptions, events *events) (_ *study, err error) {
	if err := o.data.validate(); err != nil {
		return nil, err
	}
	var config run.Config
	if o.resume {
		if name := o.config.changed(cmd.Flags()); name != "" {
			return nil, fault.Usagef("--%s can't be given with --resume: a run keeps the configuration that it began with (see %s/run.json)", name, o.run)
		}
		if len(o.init) > 0 {
			return nil, fault.Usagef("--init can't be given with --resume: a run keeps what it began with")
		}
		if err := keepsPreprocessing(o.run, cmd.Flags()); err != nil {
			return nil, err
		}
		if !cmd.Flags().Changed("data") {
			o.data.name = "" // the run's own, not the default
		}
		if o.data.name, o.data.options, err = run.Recorded(o.run, o.data.name, o.data.options); err != nil {
			return nil, err
		}
	} else {
		if config, err = o.config.build(cmd.Flags()); err != nil {
			return nil, err
		}
		for _, path := range o.init {
			if err := search.CanBegin(path); err != nil {
				return nil, err
			}
		}
		if rundir.Exists(o.run) {
			return nil, fault.Usagef("%s holds a run already: go on with it by --resume, or name another folder", o.run)
		}
	}
	on, err := a.searchTrainer(cmd, o)
	if err != nil {
		return nil, err
	}
	s := &study{trainer: on, closers: []func() error{on.close}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if o.resume {
		if err := search.CheckEngine(o.run, on.Info()); err != nil {
			return nil, err
		}
	}
	if !o.resume {
		o.data.options.Split = config.Split()
	}
	if s.set, err = dataset.Load(cmd.Context(), o.data.name, o.data.options); err != nil {
		return nil, err
	}
	s.progress = newProgress(a.Streams, o.json)
	s.progress.verbose = o.verbose
	watch := func(e search.Event) {
		s.progress.observe(e)
		events.observe(e)
	}
	options := search.Options{Trainer: on, Jobs: on.jobs(o.jobs), Memory: o.memory, CheckpointEvery: o.checkpoint, Observer: watch, Recorded: events.recorded, FS: a.FS, Began: o.began}
	if o.resume {
		s.Study, err = search.Resume(o.run, s.set, options)
	} else {
		if config, err = a.plan(cmd, &o.config, config, s.set); err != nil {
			return nil, err
		}
		if config, err = search.Begin(config, o.init, s.set.Shape); err != nil {
			return nil, err
		}
		s.Study, err = create(cmd.Context(), o.run, config, s.set, options)
	}
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, s.Study.Close)
	for _, m := range s.Front().Members { // of a run that goes on
		s.progress.better(m.Values, m.BCE)
	}
	a.skipped(s.set.Skipped)
	a.understood(s.set.Info)
	c, info := s.Config(), on.Info()
	fmt.Fprintf(a.Err, "%s: %d images of %v; %s, %d × %d candidates, %s; %s on %s\n", s.set.Name, s.set.Rows(), s.set.Shape,
		c.Algorithm, c.Population, s.Generations(), view.Epochs(c.Epochs), info.Name, info.Device)
	if c.Time > 0 {
		fmt.Fprintln(a.Err, timePlan(c, s.Generations()))
	}
	fmt.Fprintf(a.Err, "reference %s; %s\n", view.Reference(c.Objectives, s.Reference()), chooses(s.ValidationImages(), c.ValidationSplit, s.set.Info))
	if workers := cmp.Or(on.jobs(o.jobs), info.Workers); c.Window > 0 && c.Window < workers {
		fmt.Fprintf(a.Err, "%s has %d trainings at once under way, here are workers for %d: --window %d uses them, and is another search\n", c.Algorithm, c.Window, workers, workers)
	}
	if info.Name == "ref" {
		s.progress.warnSlow(c, s.set)
	}
	return s, nil
}

func create(ctx context.Context, path string, c run.Config, set *dataset.Set, o search.Options) (*search.Study, error) {
	if c.Time > 0 {
		return search.CreateWithin(ctx, path, c, set, o)
	}
	return search.Create(path, c, set, o)
}

// timePlan says what a search does in its time.
func timePlan(c run.Config, generations int) string {
	images := "all training images"
	if c.TrainLimit > 0 {
		images = fmt.Sprintf("%d training images", c.TrainLimit)
	}
	return fmt.Sprintf("%v in all: about %d trainings of %s of %s, as many as there is time for, then finetuning for what is left; another run decides otherwise",
		time.Duration(c.Time*float64(time.Second)), c.Population*generations, view.Epochs(c.Epochs), images)
}

// plan fits a preset to the data, and tells of epochs that it changes.
func (a *app) plan(cmd *cobra.Command, o *configFlags, c run.Config, set *dataset.Set) (run.Config, error) {
	planned, err := o.plan(cmd.Flags(), c, set)
	if planned.Epochs != c.Epochs && c.Time == 0 {
		fmt.Fprintf(a.Err, "%d images are few: %s where the preset has %d, so that a training has as many steps as with 5,000 images\n",
			set.Rows(), view.Epochs(planned.Epochs), c.Epochs)
	}
	return planned, err
}

// searchTrainer opens what trains on the device that --device names; a run that goes
// on keeps the one that it began on.
func (a *app) searchTrainer(cmd *cobra.Command, o *searchOptions) (*trainer, error) {
	if !o.resume || cmd.Flags().Changed("device") {
		return a.openTrainer(cmd.Context(), o.device, o.workers)
	}
	began, err := search.RecordedEngine(o.run)
	if err != nil {
		return nil, err
	}
	device, known := deviceOf[began.Engine]
	if !known {
		return a.openTrainer(cmd.Context(), o.device, o.workers)
	}
	on, err := a.openTrainer(cmd.Context(), device, o.workers)
	if err != nil {
		return nil, fmt.Errorf("%s began on %s (%s): %w", o.run, began.Engine, began.Device, err)
	}
	return on, nil
}

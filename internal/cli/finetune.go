package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
	"moncae/internal/shell"
	"moncae/internal/view"
	"moncae/search"
)

type finetuneOptions struct {
	candidates   []string
	device       string
	library      string
	noExport     bool
	epochs, jobs int
	workers      workerFlags
	rate         float64
	memory       int64
	checkpoint   time.Duration
	test, json   bool
	data         dataFlags
}

func (a *app) newFinetune() *cobra.Command {
	var o finetuneOptions
	cmd := &cobra.Command{
		Use:   "finetune RUN",
		Short: "Train candidates of a run on",
		Long: `Train candidates of a run on, on all training images, from their best weights. These
stay unless the new ones are better on validation images. Models that the run exported
are written anew.`,
		Example: `  moncae finetune digits --candidate front --epochs 20
  moncae finetune digits --candidate g4-2 --epochs 40 --test`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.finetune(cmd, args[0], &o) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.candidates, "candidate", "c", []string{"front"}, "which: an `ID`, best-loss, knee, front or population; can be repeated")
	f.IntVar(&o.epochs, "epochs", 20, "epochs")
	f.Float64Var(&o.rate, "learning-rate", search.FinetuneRecipe.LearningRate, "peak of the one-cycle schedule (Adam); 0: each candidate's own optimiser and schedule")
	f.BoolVar(&o.test, "test", false, "measure on the test split afterwards; each opening of it is counted in the run")
	f.IntVarP(&o.jobs, "jobs", "j", 0, "candidates trained at once (default one a core)")
	f.BoolVar(&o.noExport, "no-export", false, "leave the run's exported models as they are")
	addLibrary(f, &o.library)
	o.workers.add(f)
	f.Var(bytesFlag{&o.memory}, "memory", "memory that all trainings at once may take (default no limit)")
	addCheckpoint(f, &o.checkpoint)
	addDevice(f, &o.device)
	o.data.locate(f, "")
	addJSON(cmd, &o.json)
	return cmd
}

// recipe is how candidates are trained, nil for each one's own; what can't be is told
// before the run is opened.
func (o *finetuneOptions) recipe() (*arch.Recipe, error) {
	if o.epochs < 1 || o.epochs > run.MostEpochs {
		return nil, fault.Usagef("--epochs is %d; give 1 to %d", o.epochs, run.MostEpochs)
	}
	if o.rate == 0 {
		return nil, nil
	}
	r := &arch.Recipe{Optimizer: arch.Adam, LearningRate: o.rate, Schedule: arch.OneCycle}
	if err := r.Validate(); err != nil {
		return nil, fault.Usagef("--learning-rate: %w; 0 is each candidate's own", err)
	}
	return r, nil
}

func (a *app) finetune(cmd *cobra.Command, path string, o *finetuneOptions) (err error) {
	recipe, err := o.recipe()
	if err != nil {
		return err
	}
	if err := o.workers.check(o.jobs); err != nil {
		return err
	}
	r, err := run.Open(path)
	if err != nil {
		return err
	}
	if !r.Finished {
		return fault.Usagef("%s: the search isn't finished; first `%s`", path, goOnWith(path))
	}
	ids, err := r.Select(o.candidates...)
	if err != nil {
		return err
	}
	set, err := r.Images(cmd.Context(), o.data.name, o.data.options)
	if err != nil {
		return err
	}
	on, err := a.openTrainer(cmd.Context(), o.device, o.workers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, on.close()) }()
	watch := newProgress(a.Streams, o.json)
	study, err := search.Resume(path, set, search.Options{Trainer: on, Jobs: on.jobs(o.jobs), Memory: o.memory, CheckpointEvery: o.checkpoint, Observer: watch.observe, FS: a.FS, Elsewhere: true})
	if err != nil {
		return err
	}
	front, err := study.Finetune(cmd.Context(), ids, o.epochs, recipe)
	watch.end()
	err = errors.Join(err, study.Close())
	if errors.Is(err, context.Canceled) {
		return goOn{err, "candidates that were done are in " + path}
	}
	if err != nil {
		return err
	}
	if err := a.exportAgain(cmd.Context(), path, r, set, on, o); err != nil {
		return err
	}
	var tests []run.TestFigures
	if o.test {
		if tests, err = run.MeasureTest(cmd.Context(), path, ids, on, run.Opening{By: "finetune --test", Data: o.data.name, Images: o.data.options, FS: a.FS}); err != nil {
			return err
		}
	}
	latency := measureLatency(path, front, o.library)
	if o.json {
		err = a.printJSON(struct {
			timed
			Test []run.TestFigures `json:"test,omitempty"`
		}{latency.beside(front), tests})
	} else if err = a.printFront(path, front, latency); err == nil {
		err = a.printTests(tests)
	}
	if err == nil && len(front.Members) == 0 {
		return errors.New(study.WhyEmpty())
	}
	return err
}

// exportAgain writes the models anew whose weights finetuning has replaced, and those
// that have come to the front, where the run has models at all.
func (a *app) exportAgain(ctx context.Context, path string, before *run.Run, set *dataset.Set, on *trainer, o *finetuneOptions) error {
	after, err := run.Open(path)
	if err != nil {
		return err
	}
	ids := after.Outdated(before)
	if o.noExport {
		for _, id := range ids {
			fmt.Fprintf(a.Err, "%s has the weights from before; `%s` writes it anew\n", filepath.Join(path, rundir.ExportDir, id),
				shell.Line("moncae", "export", path, "--candidate", id, "--overwrite"))
		}
		return nil
	}
	if _, err := os.Stat(filepath.Join(path, rundir.ExportDir)); err != nil {
		return nil
	}
	if after.Front != nil {
		for _, m := range after.Front.Members {
			if _, err := os.Stat(filepath.Join(path, rundir.ExportDir, m.ID)); err != nil && !slices.Contains(ids, m.ID) {
				ids = append(ids, m.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return a.exportInto(ctx, after, ids, set, on, o.library)
}

func (a *app) printTests(tests []run.TestFigures) error {
	if len(tests) == 0 {
		return nil
	}
	t := table{head: []string{"id", "test BCE", "MSE", "PSNR", "SSIM"}, left: 1}
	for _, r := range tests {
		t.add(r.ID, view.Fixed(r.BCE, 4), view.Fixed(r.MSE, 5), view.Fixed(r.PSNR, 1), view.Fixed(r.SSIM, 3))
	}
	if _, err := fmt.Fprintln(a.Out); err != nil {
		return err
	}
	if err := t.print(a.Out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Out, "On %d test images; the run's test data has been opened %s.\n", tests[0].Rows, run.TimesInWords(tests[0].Openings))
	return err
}

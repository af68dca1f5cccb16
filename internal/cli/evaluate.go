package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/view"
	"moncae/search"
	"moncae/search/wire"
)

// notEvaluated are the flags of a search that plan it, keep it or show it.
var notEvaluated = []string{
	"run", "resume", "init", "no-export", "onnxruntime", "events", "verbose", "json", "checkpoint-every",
	"time", "algorithm", "population", "generations", "spread", "window", "inherit", "early-stop", "finetune", "finetune-trial", "finetune-scope",
}

// evaluate serves another program's optimiser; no run is kept.
func (a *app) evaluate(cmd *cobra.Command, o *searchOptions) (err error) {
	for _, name := range notEvaluated {
		if cmd.Flags().Changed(name) {
			return fault.Usagef("--%s can't be given with --evaluate: another program decides what is trained, and no run is kept", name)
		}
	}
	if err := o.data.validate(); err != nil {
		return err
	}
	c, err := o.config.build(cmd.Flags())
	if err != nil {
		return err
	}
	on, err := a.openTrainer(cmd.Context(), o.device, o.workers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, on.close()) }()
	o.data.options.Split = c.Split()
	set, err := dataset.Load(cmd.Context(), o.data.name, o.data.options)
	if err != nil {
		return err
	}
	if c, err = a.plan(cmd, &o.config, c, set); err != nil {
		return err
	}
	info := on.Info()
	jobs := on.jobs(o.jobs)
	if jobs == 0 {
		jobs = max(1, info.Workers)
	}
	e, err := search.NewEvaluator(cmd.Context(), c, set, search.Options{Trainer: on, Jobs: jobs, Memory: o.memory})
	if err != nil {
		return err
	}
	a.skipped(set.Skipped)
	a.understood(set.Info)
	fmt.Fprintf(a.Err, "%s: %d images of %v; %s on %s, %d at once; reference %s; waiting for lines of JSON\n", set.Name, set.Rows(), set.Shape,
		info.Name, info.Device, jobs, view.Reference(c.Objectives, e.Reference()))
	return wire.Serve(cmd.Context(), e, jobs, a.In, a.Out)
}

package cli

import (
	"errors"
	"io"
	"maps"

	"github.com/spf13/cobra"

	"moncae/compress"
	"moncae/internal/worker"
	"moncae/search/task"
)

func (a *app) newWorker() *cobra.Command {
	var device, library string
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Do tasks that another process hands over by lines of JSON",
		Long: `Do tasks, trainings for example, that another process hands over on the standard input,
and give the results on the standard output: lines of JSON, and bytes whose number a line
tells. The search's --workers starts such processes; docs/format/worker.md describes the
protocol for those that write their own.

A worker does one task at a time, and ends when its input does.`,
		Example: `  moncae worker < tasks.jsonl
  moncae worker --device cuda:1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.worker(cmd, device, library) },
	}
	addDevice(cmd.Flags(), &device)
	addLibrary(cmd.Flags(), &library)
	return cmd
}

func (a *app) worker(cmd *cobra.Command, device, library string) error {
	out, err := a.ownOutput()
	if err != nil {
		return err
	}
	eng, err := a.openEngine(device)
	if err != nil {
		return err
	}
	site := task.NewSite(eng)
	var cores int
	defer addProcessors(&cores)() // for shards
	kinds := site.Kinds()
	kinds["nothing"] = worker.Nothing
	maps.Copy(kinds, compress.Site{Device: runtimeDevice(device), Library: library}.Kinds())
	server := worker.Server{Hello: site.Hello(), Kinds: kinds, Keeps: site.Keeps()}
	err = server.Serve(cmd.Context(), a.In, out)
	if errors.Is(err, worker.ErrBusy) { // the engine is at work: it goes with the process
		return err
	}
	return errors.Join(err, site.Close(), eng.Close())
}

// ownOutput is the standard output for bytes as they are. What libraries print goes to
// the standard error from now on.
func (a *app) ownOutput() (io.Writer, error) {
	out := a.Out
	if v, ok := out.(*visible); ok {
		out = v.to
	}
	return keepOutput(out)
}

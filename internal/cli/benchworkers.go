package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/worker"
	"moncae/search/task"
)

func (a *app) newBenchWorkers() *cobra.Command {
	var w workerFlags
	var tasks int
	var device string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "workers",
		Short: "Measure what handing tasks to worker processes costs",
		Long: `Measure what handing tasks to worker processes costs: tasks that take no time are done by
workers, and each result is written to a file and synced before it counts, as a search
does: those that arrive while a sync runs share the next one. The file is in the folder for temporary files ($TMPDIR).`,
		Example: `  moncae bench workers --device ref --tasks 100`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if tasks < 1 {
				return fault.Usagef("--tasks is %d; give 1 or more", tasks)
			}
			if err := w.check(0); err != nil {
				return err
			}
			if w.slots == 0 {
				return fault.Usagef("--workers is empty; give local:N, N processes on this machine, for example local:2")
			}
			dir, err := os.MkdirTemp("", "moncae-bench-")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
			log, err := a.FS.OpenLog(filepath.Join(dir, "results"), 0)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, log.Close()) }()
			pool, err := w.pool(cmd.Context(), a, device, "", task.Same(w.mixed))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, pool.Close()) }()
			group := durable.Group[[]byte]{Commit: func(all [][]byte) error { return log.Append(bytes.Join(all, nil)) }}
			b, err := worker.Measure(cmd.Context(), pool, tasks, group.Keep)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(b)
			}
			_, err = fmt.Fprintf(a.Out, "%d tasks by %d workers in %.2f s: %.0f results a second, each synced%s\n", b.Tasks, b.Workers, b.Seconds, b.PerSecond, peak())
			return err
		},
	}
	f := cmd.Flags()
	f.IntVar(&tasks, "tasks", 10000, "how many tasks")
	w.add(f)
	f.Lookup("workers").DefValue, w.where = "local:2", "local:2"
	addDevice(f, &device)
	addJSON(cmd, &asJSON)
	return cmd
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/fault"
	"moncae/internal/train"
	"moncae/internal/worker"
	"moncae/search/task"
)

// workerFlags say which processes do a command's work.
type workerFlags struct {
	where   string
	timeout time.Duration
	slots   int // 0: this process
}

func (w *workerFlags) add(f *pflag.FlagSet) {
	f.StringVar(&w.where, "workers", "", "do the work in other `processes`: local:N starts N on this machine, on GPUs one each; one that dies costs one candidate, not the search (default: in this process)")
	w.addTimeout(f)
}

// addShards adds the flags for commands that write shards.
func (w *workerFlags) addShards(f *pflag.FlagSet) {
	f.StringVar(&w.where, "workers", "", "have shards made by other `processes`: local:N starts N on this machine, on GPUs one each (default: in this process)")
	w.addTimeout(f)
}

func (w *workerFlags) addTimeout(f *pflag.FlagSet) {
	f.DurationVar(&w.timeout, "worker-timeout", 10*time.Minute, "`time` after which a worker that says nothing is ended; 0: never")
}

// check reads where the workers are; jobs is --jobs.
func (w *workerFlags) check(jobs int) error {
	if w.where == "" {
		return nil
	}
	if jobs > 0 {
		return fault.Usagef("--jobs and --workers exclude each other: --workers local:%d trains as many at once", jobs)
	}
	number, local := strings.CutPrefix(w.where, "local:")
	n, err := strconv.Atoi(number)
	if !local || err != nil || n < 1 {
		return fault.Usagef("--workers %s: give local:N, N processes on this machine, for example local:2", w.where)
	}
	w.slots = n
	return nil
}

// pool starts workers on a device when they are needed.
func (w *workerFlags) pool(a *app, device, library string, check func(worker.Hello) error) *worker.Pool {
	devices := spread(device)
	args := func(slot int) []string {
		all := []string{"worker", "--device", devices[slot%len(devices)]}
		if library != "" {
			all = append(all, "--onnxruntime", library)
		}
		return all
	}
	return worker.NewPool(worker.Options{Slots: w.slots, Timeout: w.timeout, Launch: worker.Local(args, a.warnOnce()), Check: check})
}

// warnOnce passes on what workers warn of, each line once.
func (a *app) warnOnce() func(string) {
	var said sync.Map
	return func(line string) {
		if _, before := said.LoadOrStore(line, true); !before {
			fmt.Fprintln(a.Err, line)
		}
	}
}

// spread are the devices that workers take in turn.
func spread(device string) []string {
	if device != "auto" && device != "cuda" {
		return []string{device}
	}
	gpus, err := cuda.Devices()
	if err != nil || len(gpus) < 2 {
		return []string{device}
	}
	var all []string
	for i := range gpus {
		all = append(all, fmt.Sprintf("cuda:%d", i))
	}
	return all
}

// trainer is what trains for a command: an engine in this process, or workers.
type trainer struct {
	task.Trainer
	app    *app
	device string
	engine engine.Engine // in this process; nil: none yet
	pool   *worker.Pool  // nil: none
}

// openTrainer opens the engine of a device, here or in workers.
func (a *app) openTrainer(ctx context.Context, device string, w workerFlags) (*trainer, error) {
	t := &trainer{app: a, device: device}
	if w.slots == 0 {
		eng, err := t.own()
		if err != nil {
			return nil, err
		}
		t.Trainer = task.NewHere(eng, train.Autoencoder)
		return t, nil
	}
	t.pool = w.pool(a, device, "", task.Same())
	workers, err := task.NewWorkers(ctx, t.pool)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	t.Trainer = workers
	return t, nil
}

// own is the engine of the device in this process.
func (t *trainer) own() (_ engine.Engine, err error) {
	if t.engine == nil {
		t.engine, err = t.app.openEngine(t.device)
	}
	return t.engine, err
}

func (t *trainer) close() error {
	if t.pool != nil {
		t.pool.Close()
	}
	if t.engine != nil {
		return t.engine.Close()
	}
	return nil
}

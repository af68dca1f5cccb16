package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/fault"
	"moncae/internal/pythonenv"
	"moncae/internal/train"
	"moncae/internal/worker"
	"moncae/search/task"
)

// workerFlags say which processes do a command's work.
type workerFlags struct {
	where     string // "": this process
	timeout   time.Duration
	slots     int // of local workers, or at most on Ray
	resources map[string]string
	mixed     bool
}

func (w *workerFlags) add(f *pflag.FlagSet) {
	f.StringVar(&w.where, "workers", "", "do the work in other `processes`: local:N starts N on this machine, on GPUs one each; ray[:ADDRESS] as many as a Ray cluster has room for; one that dies costs one candidate, not the search (default: in this process)")
	f.BoolVar(&w.mixed, "mixed", false, "let workers have different engines: the search can't be repeated to the same bits then")
	w.addHow(f)
}

// addShards adds the flags for commands that write shards.
func (w *workerFlags) addShards(f *pflag.FlagSet) {
	f.StringVar(&w.where, "workers", "", "have shards made by other `processes`: local:N starts N on this machine, on GPUs one each; ray[:ADDRESS] as many as a Ray cluster has room for, whose nodes must see the same paths (default: in this process)")
	w.addHow(f)
}

func (w *workerFlags) addHow(f *pflag.FlagSet) {
	f.DurationVar(&w.timeout, "worker-timeout", 10*time.Minute, "`time` after which a worker that says nothing is ended; 0: never")
	f.IntVar(&w.slots, "worker-slots", 0, "`workers` at once on Ray; more than there is room for wait for nodes that come (default as many as there is room for at the start)")
	f.StringToStringVar(&w.resources, "worker-resources", nil, "what Ray reserves for a worker: num_gpus=0.5,memory=2e9 (default num_cpus=1)")
}

// mostAtOnce is how many trainings one machine may be asked to have under way.
const mostAtOnce = 10_000

// check reads where the workers are; jobs is --jobs.
func (w *workerFlags) check(jobs int) error {
	if jobs > mostAtOnce {
		return fault.Usagef("--jobs is %d; give %d at most", jobs, mostAtOnce)
	}
	if w.where == "" {
		if w.mixed || w.slots != 0 || w.resources != nil {
			return fault.Usagef("--mixed, --worker-slots and --worker-resources are for --workers ray, which is not given")
		}
		return nil
	}
	if jobs > 0 {
		return fault.Usagef("--jobs and --workers exclude each other: there are as many trainings at once as workers")
	}
	if _, ok := w.ray(); ok {
		_, err := w.reserved()
		if w.slots < 0 {
			err = fault.Usagef("--worker-slots is %d; give 1 or more", w.slots)
		}
		return err
	}
	number, local := strings.CutPrefix(w.where, "local:")
	n, err := strconv.Atoi(number)
	if !local || err != nil || n < 1 || n > mostAtOnce {
		return fault.Usagef("--workers %s: give local:N, N processes on this machine (%d at most), for example local:2, or ray or ray:HOST:PORT for a Ray cluster", w.where, mostAtOnce)
	}
	if w.slots != 0 || w.resources != nil {
		return fault.Usagef("--worker-slots and --worker-resources are for --workers ray, not for %s", w.where)
	}
	w.slots = n
	return nil
}

// ray is the address of a cluster; "" is the usual one.
func (w *workerFlags) ray() (address string, ok bool) {
	address, named := strings.CutPrefix(w.where, "ray:")
	if w.where == "ray" {
		return "", true
	}
	return address, named && address != ""
}

// reserved are the resources of a worker.
func (w *workerFlags) reserved() (map[string]float64, error) {
	all := map[string]float64{"num_cpus": 1}
	for name, text := range w.resources {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= 0) || math.IsInf(n, 0) {
			return nil, fault.Usagef("--worker-resources %s=%s: give a number, 0 or more", name, text)
		}
		all[name] = n
	}
	return all, nil
}

// pool starts workers on a device: on Ray at once, here when they are needed.
func (w *workerFlags) pool(ctx context.Context, a *app, device, library string, check func(worker.Hello) error) (*worker.Pool, error) {
	args := func(device string) []string {
		all := []string{"worker", "--device", device}
		if library != "" {
			all = append(all, "--onnxruntime", library)
		}
		return all
	}
	if address, ok := w.ray(); ok {
		return w.onRay(ctx, a, address, args(device), check)
	}
	devices := spread(device)
	local := worker.Local(func(slot int) []string { return args(devices[slot%len(devices)]) }, a.warnOnce())
	return worker.NewPool(worker.Options{Slots: w.slots, Timeout: w.timeout, Launch: local, Check: check}), nil
}

func (w *workerFlags) onRay(ctx context.Context, a *app, address string, args []string, check func(worker.Hello) error) (*worker.Pool, error) {
	resources, err := w.reserved()
	if err != nil {
		return nil, err
	}
	folder, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	python, err := pythonenv.Command()
	if err != nil {
		return nil, fmt.Errorf("--workers %s: %w", w.where, err)
	}
	o := worker.BridgeOptions{Address: address, Resources: resources, Slots: w.slots, Folder: folder, Args: args}
	bridge, err := worker.OpenBridge(ctx, []string{python, "-m", "moncae._ray"}, o, a.warnOnce())
	if err != nil {
		return nil, fmt.Errorf("--workers %s: %w", w.where, err)
	}
	return worker.NewPool(worker.Options{
		Slots: bridge.Slots(), Timeout: w.timeout, Launch: bridge.Launch, Ahead: bridge.Close, Check: check, Cores: int(max(1, resources["num_cpus"])), Backup: true,
	}), nil
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
	if w.where == "" {
		eng, err := t.own()
		if err != nil {
			return nil, err
		}
		t.Trainer = task.NewHere(eng, train.Autoencoder)
		return t, nil
	}
	var err error
	if t.pool, err = w.pool(ctx, a, device, "", task.Same(w.mixed)); err != nil {
		return nil, err
	}
	workers, err := task.NewWorkers(ctx, t.pool, w.mixed)
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

// Convolutions tells what the engines chose, here and in workers.
func (t *trainer) Convolutions() engine.Convolutions {
	c := engine.ConvolutionsOf(t.engine)
	if chooser, ok := t.Trainer.(engine.Chooser); ok {
		c.Add(chooser.Convolutions())
	}
	return c
}

// jobs is how many trainings are to run at once, where so many were asked for; 0: as
// many as the engine has workers.
func (t *trainer) jobs(asked int) int {
	if t.pool != nil {
		return t.pool.Slots()
	}
	return asked
}

func (t *trainer) close() (err error) {
	if t.pool != nil {
		err = t.pool.Close()
	}
	if t.engine != nil {
		err = errors.Join(err, t.engine.Close())
	}
	return err
}

package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gonum.org/v1/plot/plotter"

	"moncae/internal/fault"
	"moncae/internal/figure"
	"moncae/internal/run"
	"moncae/internal/scale"
	"moncae/search"
	"moncae/search/algorithm"
)

// decision is what it takes to decide on a training: microseconds from a generation, and
// by ehvi's model, measured on two processors after 400 trainings, more with each that is
// under way.
func decision(a string, underWay int) float64 {
	if a == algorithm.EHVI {
		return 0.12 + 0.00011*float64(underWay)
	}
	return 0.0001
}

type benchScaleOptions struct {
	simulate, replay, json      bool
	workers                     []int
	generations                 int
	times                       float64
	seed                        uint64
	start, life, nodeLife, away time.Duration
	checkpoint                  time.Duration
	decision                    time.Duration
	cluster                     scale.Cluster
	out                         string
	changed                     func(flag string) bool
}

func (a *app) newBenchScale() *cobra.Command {
	var o benchScaleOptions
	cmd := &cobra.Command{
		Use:   "scale --simulate [RUN]",
		Short: "Simulate searches on up to 10,000 workers",
		Long: `Simulate searches on clusters that can't be tried: the trainings that a run measured, or those
that come with moncae, drawn anew for as many places as a search of the size has, are given to
workers by the search's own decisions, in a time of its own, with workers that die, nodes that are
taken away, and slow ones. For each number of workers it tells how much of their time went to
trainings that count, and what took most of the rest.

There are --generations times as many trainings as workers, or four times as many, decided in
generations or in a window of as many, or twice as many, as there are workers. --replay has RUN's own
search and times instead, without trouble, beside the time that it took.`,
		Example: `  moncae bench scale --simulate --workers 10,100,1000
  moncae bench scale --simulate run --replay --workers 2`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.changed = func(flag string) bool { return cmd.Flags().Changed(flag) }
			return a.benchScale(args, &o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.simulate, "simulate", false, "simulate; nothing else is there yet, for real clusters are measured by searching on them")
	f.BoolVar(&o.replay, "replay", false, "RUN's own search, in its order and with its times")
	f.IntSliceVar(&o.workers, "workers", []int{10, 30, 100, 300, 1000, 3000, 10000}, "numbers of `workers`")
	f.IntVar(&o.generations, "generations", 10, "trainings a worker, or a quarter of them")
	f.Float64Var(&o.times, "times", 1, "each training takes so many times as long as it was measured")
	f.Uint64Var(&o.seed, "seed", 46, "of what is drawn")
	c := &o.cluster
	f.IntVar(&c.NodeWorkers, "node-workers", 8, "workers a node")
	f.DurationVar(&o.start, "start", 5*time.Second, "`time` until a worker has begun")
	f.Float64Var(&c.Data, "data-bytes", 2e8, "`bytes` of images, which go to each node once")
	f.Float64Var(&c.Bandwidth, "bandwidth", 1e9, "`bytes` a second of each node and the coordinator")
	f.Float64Var(&c.Results, "results", 11042, "results that the coordinator keeps a second (moncae bench workers)")
	f.DurationVar(&o.decision, "decision", 0, "`time` to decide on a training, one after the other (default 0.1 ms in generations, 120 ms in a window and 0.11 ms more for each training under way)")
	f.DurationVar(&o.checkpoint, "checkpoint-every", time.Minute, "`time` between a training's checkpoints; 0: none")
	f.DurationVar(&o.life, "worker-life", 24*time.Hour, "mean `time` until a worker dies; 0: never")
	f.DurationVar(&o.nodeLife, "node-life", 6*time.Hour, "mean `time` until a node is taken away; 0: never")
	f.DurationVar(&o.away, "node-away", 5*time.Minute, "`time` until another one comes")
	f.Float64Var(&c.Slow, "slow", 0.02, "share of workers that are slow")
	f.Float64Var(&c.SlowBy, "slow-by", 3, "so many times as long trainings take them")
	f.BoolVar(&c.Backup, "backup", true, "workers with nothing to do try late trainings too")
	f.StringVarP(&o.out, "out", "o", "", "draw utilisation by workers to this .svg or .png `file`")
	a.addOverwrite(f)
	addJSON(cmd, &o.json)
	return cmd
}

func (o *benchScaleOptions) check(args []string) error {
	if o.out != "" {
		if _, err := figure.Format(o.out); err != nil {
			return err
		}
	}
	for _, n := range o.workers {
		if n < 1 || n > 100_000 {
			return fault.Usagef("--workers %d: give numbers of 1 to 100000", n)
		}
	}
	switch c := o.cluster; {
	case !o.simulate:
		return fault.Usagef("give --simulate: real clusters are measured by searching on them")
	case o.replay && len(args) == 0:
		return fault.Usagef("--replay is of a run: moncae bench scale --simulate RUN --replay --workers N")
	case o.replay && o.out != "":
		return fault.Usagef("--replay and --out exclude each other")
	case len(o.workers) == 0:
		return fault.Usagef("--workers is empty; give numbers, for example 10,100")
	case o.generations < 1 || o.generations > 1000:
		return fault.Usagef("--generations is %d; give 1 to 1000", o.generations)
	case c.NodeWorkers < 1:
		return fault.Usagef("--node-workers is %d; give 1 or more", c.NodeWorkers)
	case o.times <= 0 || c.Bandwidth <= 0 || c.Results <= 0:
		return fault.Usagef("--times, --bandwidth and --results are above 0")
	case c.Slow > 1 || c.SlowBy < 1:
		return fault.Usagef("--slow is a share, 0 to 1, and --slow-by 1 or more")
	case min(o.start, o.life, o.nodeLife, o.away, o.checkpoint, o.decision) < 0:
		return fault.Usagef("times are 0 or more")
	}
	return nil
}

// on is the cluster with so many workers; trouble is what --replay leaves out.
func (o *benchScaleOptions) on(workers int) scale.Cluster {
	c := o.cluster
	c.Workers, c.Start, c.Checkpoint = workers, o.start.Seconds(), o.checkpoint.Seconds()
	c.Failure, c.Preemption, c.Away = o.life.Seconds(), o.nodeLife.Seconds(), o.away.Seconds()
	if o.replay {
		for flag, value := range map[string]*float64{"worker-life": &c.Failure, "node-life": &c.Preemption, "slow": &c.Slow, "start": &c.Start, "data-bytes": &c.Data} {
			if !o.changed(flag) {
				*value = 0
			}
		}
	}
	return c
}

// curve is a way to search, on some numbers of workers.
type curve struct {
	Name    string         `json:"name"`
	Results []scale.Result `json:"results"`
}

// scaled is what bench scale tells.
type scaled struct {
	From      string        `json:"from"`               // whose times
	Trainings [][3]float64  `json:"seconds_cost_bytes"` // of each
	Seconds   float64       `json:"seconds"`            // that one takes, the mean
	Seed      uint64        `json:"seed"`
	Cluster   scale.Cluster `json:"cluster"` // but for its workers
	Curves    []curve       `json:"curves"`
	Measured  float64       `json:"measured_wall,omitempty"` // of a replayed run
}

func (a *app) benchScale(args []string, o *benchScaleOptions) error {
	if err := o.check(args); err != nil {
		return err
	}
	if err := a.vacant(o.out); err != nil {
		return err
	}
	from, tasks := scale.Recorded()
	s := scaled{Seed: o.seed, Cluster: o.on(0)}
	if len(args) == 1 {
		r, err := search.Open(args[0])
		if err != nil {
			return err
		}
		from = args[0]
		if tasks, s.Measured, err = search.Measured(r); err != nil {
			return err
		}
		if o.replay {
			s.Curves = []curve{o.replayed(r.Config, tasks)}
		}
	}
	trained := slices.DeleteFunc(slices.Clone(tasks), func(t scale.Task) bool { return t.Seconds == 0 })
	if len(trained) == 0 {
		return fault.Usagef("%s: no generation has ended yet: there are no times to go by", from)
	}
	if !o.replay {
		s.Measured, s.Curves = 0, o.curves(trained)
	}
	s.From = from
	for _, t := range trained {
		s.Trainings = append(s.Trainings, [3]float64{t.Seconds, t.Cost, t.Bytes})
		s.Seconds += t.Seconds * o.times / float64(len(trained))
	}
	if o.out != "" {
		if err := a.draw(o.out, s.figure()); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(s)
	}
	return a.printScale(s)
}

func (o *benchScaleOptions) replayed(config run.Config, tasks []scale.Task) curve {
	c := curve{Name: "as it was"}
	p := scale.Plan{Tasks: slices.Clone(tasks), Sees: search.Sees(config), Waits: "the ends of generations"}
	if config.Window > 0 {
		p.Waits = "the window"
	}
	for i := range p.Tasks {
		p.Tasks[i].Seconds *= o.times
	}
	for _, n := range o.workers {
		c.Results = append(c.Results, o.result(p, config.Algorithm, config.Window, n))
	}
	return c
}

func (o *benchScaleOptions) result(p scale.Plan, algorithm string, window, workers int) scale.Result {
	c := o.on(workers)
	if c.Decision = decision(algorithm, min(window, workers)); o.changed("decision") {
		c.Decision = o.decision.Seconds()
	}
	return scale.Simulate(p, c, o.seed)
}

// curves are the ways to search.
func (o *benchScaleOptions) curves(tasks []scale.Task) []curve {
	all := []curve{{Name: "generations of a training a worker"}, {Name: "generations of 4 trainings a worker"}, {Name: "a window of a training a worker"}, {Name: "a window of 2 trainings a worker"}}
	for _, n := range o.workers {
		drawn := scale.Drawn(tasks, n*o.generations, o.seed, o.times)
		for i, config := range []run.Config{
			{Algorithm: algorithm.Moncae, Population: n, Generations: o.generations},
			{Algorithm: algorithm.Moncae, Population: 4 * n, Generations: (o.generations + 3) / 4},
			{Algorithm: algorithm.EHVI, Population: n, Generations: o.generations, Window: n},
			{Algorithm: algorithm.EHVI, Population: n, Generations: o.generations, Window: 2 * n},
		} {
			p := scale.Plan{Tasks: drawn, Sees: search.Sees(config), Waits: "the ends of generations"}
			if config.Window > 0 {
				p.Waits = "the window"
			}
			all[i].Results = append(all[i].Results, o.result(p, config.Algorithm, config.Window, n))
		}
	}
	return all
}

func (a *app) printScale(s scaled) error {
	fmt.Fprintf(a.Out, "%d trainings of %s, %.1f s each on average\n", len(s.Trainings), s.From, s.Seconds)
	for _, c := range s.Curves {
		fmt.Fprintf(a.Out, "\n%s\n", c.Name)
		t := table{head: []string{"workers", "trainings", "it takes", "used", "most of the rest", ""}}
		for _, r := range c.Results {
			t.add(fmt.Sprint(r.Workers), fmt.Sprint(r.Trainings), time.Duration(r.Wall*float64(time.Second)).Round(time.Second).String(), percent(r.Utilisation), percent(r.Lost[r.Limit]), r.Limit)
		}
		if err := t.print(a.Out); err != nil {
			return err
		}
	}
	if s.Measured > 0 {
		wall := s.Curves[0].Results[0].Wall
		fmt.Fprintf(a.Out, "\nthe search took %.1f s; on %d workers it is simulated to take %.1f s (%+.1f %%)\n",
			s.Measured, s.Curves[0].Results[0].Workers, wall, 100*(wall/s.Measured-1))
	}
	return nil
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// figure shows utilisation, and how many trainings are done an hour.
func (s scaled) figure() figure.Compare {
	f := figure.Compare{Title: fmt.Sprintf("Simulated searches: trainings of %.1f s, %s", s.Seconds, strings.TrimPrefix(s.From, "./"))}
	x := "log10 of the number of workers (beneath: that number)"
	used := figure.Panel{X: x, Y: "share of the workers' time that was used", Latent: true, Straight: true}
	rate := figure.Panel{X: x, Y: "log10 of the trainings an hour", Latent: true, Straight: true}
	for _, c := range s.Curves {
		var u, h plotter.XYs
		for _, r := range c.Results {
			at := math.Log10(float64(r.Workers))
			u = append(u, plotter.XY{X: at, Y: r.Utilisation})
			h = append(h, plotter.XY{X: at, Y: math.Log10(3600 * float64(r.Trainings) / r.Wall)})
		}
		f.Groups = append(f.Groups, c.Name)
		used.Lines, rate.Lines = append(used.Lines, u), append(rate.Lines, h)
	}
	f.Panels = []figure.Panel{used, rate}
	return f
}

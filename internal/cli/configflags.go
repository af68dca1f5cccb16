package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/search"
	"moncae/search/algorithm"
)

// configFlags are the flags that decide a search's result. Each one that is given
// replaces the preset's value.
type configFlags struct {
	preset, space, algorithm, loss, objectives, reference, precision, scope string
	validation                                                              string
	population, generations, spread, window, epochs, patience, batch, limit int
	finetune, trial, maxLayers, maxFilters                                  int
	maxFLOPs                                                                int64
	denoise                                                                 float64
	seed, validationSeed                                                    uint64
	earlyStop, inherit                                                      bool
	bounds                                                                  []string
	time                                                                    time.Duration
	set                                                                     map[string]func(*run.Config) error
}

func (o *configFlags) add(f *pflag.FlagSet) {
	standard, err := search.Preset("quick")
	if err != nil {
		panic(err)
	}
	o.set = map[string]func(*run.Config) error{}
	f.Var(choice{&o.preset, search.Presets}, "preset", "numbers to begin with; each has a flag of its own, which replaces it (default quick)")
	number := func(p *int, name, usage string, field func(*run.Config) *int) {
		f.IntVar(p, name, *field(&standard), usage)
		o.set[name] = func(c *run.Config) error { *field(c) = *p; return nil }
	}
	f.DurationVar(&o.time, "time", 0, "plan population, generations, epochs and finetuning so that all is over after this `time`, for example 10m (default as long as what is planned takes)")
	o.set["time"] = func(c *run.Config) error {
		if o.time.Seconds() < search.LeastTime {
			return fault.Usagef("--time %v is too short for a search: give %ds or more, for example 10m", o.time, search.LeastTime)
		}
		c.Time, c.Finetune.Epochs, c.Finetune.Trial = o.time.Seconds(), 0, 0
		return nil
	}
	number(&o.population, "population", "candidates in a generation", func(c *run.Config) *int { return &c.Population })
	number(&o.generations, "generations", "generations, the first, random one too", func(c *run.Config) *int { return &c.Generations })
	number(&o.spread, "spread", "networks drawn for a place of the first generation; the one whose latent size is farthest from the others takes it", func(c *run.Config) *int { return &c.Spread })
	number(&o.window, "window", "candidates that may be under way when ehvi decides on the next; the result depends on it, and no more are trained at once", func(c *run.Config) *int { return &c.Window })
	number(&o.epochs, "epochs", "epochs of each candidate at most", func(c *run.Config) *int { return &c.Epochs })
	number(&o.patience, "patience", "epochs without a better validation loss before a training stops; 0: never", func(c *run.Config) *int { return &c.Patience })
	number(&o.batch, "batch", "images in a training step", func(c *run.Config) *int { return &c.Batch })
	number(&o.finetune, "finetune", "epochs of training at the end; 0: none", func(c *run.Config) *int { return &c.Finetune.Epochs })
	number(&o.trial, "finetune-trial", "epochs, --finetune's at most, that --finetune-scope gets first; the front alone then gets --finetune's; 0: no trial", func(c *run.Config) *int { return &c.Finetune.Trial })
	number(&o.limit, "train-limit", "training images that the search uses; 0: all (finetuning uses all)", func(c *run.Config) *int { return &c.TrainLimit })
	number(&o.maxLayers, "max-layers", "convolution blocks of an encoder at most", func(c *run.Config) *int { return &c.Space.MaxBlocks })
	number(&o.maxFilters, "max-filters", "filters of a convolution at most", func(c *run.Config) *int { return &c.Space.MaxFilters })
	word := func(p *string, name, value, usage string, set func(*run.Config, string) error) {
		f.StringVar(p, name, value, usage)
		o.set[name] = func(c *run.Config) error { return set(c, *p) }
	}
	word(&o.space, "space", standard.Space.Name, "search space: paper or extended", func(c *run.Config, v string) error { c.Space = c.Space.Named(v); return nil })
	word(&o.algorithm, "algorithm", standard.Algorithm, "one of "+strings.Join(algorithm.Names, ", "), func(c *run.Config, v string) error { c.SetAlgorithm(v); return nil })
	word(&o.loss, "loss", string(standard.Loss), "what a training minimises: bce, mse, ssim (1 − structural similarity) or a sum, for example ssim+mse or 0.8*ssim+0.2*bce", func(c *run.Config, v string) error { c.Loss = graph.Loss(v); return nil })
	word(&o.scope, "finetune-scope", standard.Finetune.Scope, "what is trained on at the end: front, sizes (of every latent size the best) or population", func(c *run.Config, v string) error { c.Finetune.Scope = v; return nil })
	word(&o.precision, "precision", string(standard.Precision), "of the trainings: f32, bf16 (GPUs, and processors with instructions for it), tf32 (GPUs), or auto, the fastest that the device has; what is reported is computed in f32",
		func(c *run.Config, v string) error { c.Precision = engine.Precision(v); return nil })
	word(&o.objectives, "objectives", strings.Join(standard.Objectives, ","), "two or more of "+strings.Join(run.Objectives, ", "), func(c *run.Config, v string) error {
		c.Objectives = strings.Split(v, ",")
		return nil
	})
	word(&o.reference, "reference", "", "reference point, a number an objective, for example 0.26,2.9 (default the mean image's loss, no compression, the error of a linear probe on 16 principal components)", setReference)
	f.BoolVar(&o.earlyStop, "early-stop", false, "end trainings that can't come onto the front any more, judged after a quarter and a half of their steps")
	o.set["early-stop"] = func(c *run.Config) error { c.EarlyStop = o.earlyStop; return nil }
	f.BoolVar(&o.inherit, "inherit", standard.Inherit, "have a child begin its training with its mother's trained weights, as far as their networks are alike; the other algorithms than ehvi don't, unless it is given")
	o.set["inherit"] = func(c *run.Config) error { c.Inherit = o.inherit; return nil }
	f.StringArrayVar(&o.bounds, "bound", nil, "a limit that members of the front must keep, for example 'loc<=2'; can be repeated")
	o.set["bound"] = func(c *run.Config) (err error) { c.Bounds, err = parseBounds(o.bounds); return err }
	f.Int64Var(&o.maxFLOPs, "max-flops", standard.MaxFLOPs, "refuse networks of more multiply-adds for each pixel of an image; 0: no limit")
	o.set["max-flops"] = func(c *run.Config) error { c.MaxFLOPs = o.maxFLOPs; return nil }
	f.Float64Var(&o.denoise, "denoise", 0, "`sigma` of normal noise in training images, whose pixels are from 0 to 1, for networks that give the clean image back; all figures are of clean images; 0: none")
	o.set["denoise"] = func(c *run.Config) error { c.Denoise = o.denoise; return nil }
	word(&o.validation, "validation", fmt.Sprint(standard.Validation), "`share` of the training images set apart for fitness; or val, the data set's own split of that name, where it has one beside train and test", setValidation)
	f.Uint64Var(&o.seed, "seed", standard.Seed, "seed of everything random")
	o.set["seed"] = func(c *run.Config) error { c.Seed = o.seed; return nil }
	f.Uint64Var(&o.validationSeed, "validation-seed", 0, "draws the validation images, so that runs of different seeds have the same ones (default: --seed)")
	o.set["validation-seed"] = func(c *run.Config) error { c.ValidationSeed = new(o.validationSeed); return nil }
}

func setReference(c *run.Config, v string) (err error) {
	c.Reference, err = parseReference(v)
	return err
}

func setValidation(c *run.Config, v string) (err error) {
	if v == source.Val {
		c.ValidationSplit = v
		return nil
	}
	if c.Validation, err = strconv.ParseFloat(v, 64); err != nil {
		return fault.Usagef("--validation %q: it is a share of the training images, for example 0.1, or %s", v, source.Val)
	}
	return nil
}

func parseReference(v string) (point []float64, err error) {
	for _, part := range strings.Split(v, ",") {
		r, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(r) || math.IsInf(r, 0) {
			return nil, fault.Usagef("--reference %s: %q is not a finite number; give one an objective, for example 0.26,2.9", v, part)
		}
		point = append(point, r)
	}
	return point, nil
}

func parseBounds(words []string) ([]run.Bound, error) {
	var bounds []run.Bound
	for _, w := range words {
		b, err := run.ParseBound(w)
		if err != nil {
			return nil, fmt.Errorf("--bound: %w", err)
		}
		bounds = append(bounds, b)
	}
	return bounds, nil
}

// build is the preset with the flags that were given, which tells what is wrong
// with them before the data are read.
func (o *configFlags) build(f *pflag.FlagSet) (run.Config, error) {
	c, err := search.Preset(o.name())
	if err != nil {
		return c, err
	}
	if c, err = o.apply(f, c); err != nil {
		return c, err
	}
	if err := o.timed(f); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// byTime are the flags of what --time plans.
var byTime = []string{"population", "generations", "epochs", "train-limit", "finetune", "finetune-trial", "finetune-scope"}

// timed refuses what can't be given with --time.
func (o *configFlags) timed(f *pflag.FlagSet) error {
	if !f.Changed("time") {
		return nil
	}
	for _, name := range byTime {
		if f.Changed(name) {
			return fault.Usagef("--%s can't be given with --time, which plans it", name)
		}
	}
	if o.name() == search.Paper {
		return fault.Usagef("--preset %s can't be given with --time: it keeps the paper's protocol, whatever time that takes", search.Paper)
	}
	return nil
}

// plan fits the preset to the data; flags that were given stay, and so does what
// goes with them.
func (o *configFlags) plan(f *pflag.FlagSet, c run.Config, set *dataset.Set) (run.Config, error) {
	c, err := c.Share(set)
	if err != nil || o.name() == search.Paper {
		return c, err
	}
	planned := search.ForData(c, set.Shape, set.Rows())
	if c.Time > 0 {
		planned = search.ForTime(planned, set.Rows())
	}
	if f.Changed("finetune") {
		planned.Finetune.Trial = c.Finetune.Trial
	}
	return o.apply(f, planned)
}

func (o *configFlags) name() string { return cmp.Or(o.preset, "quick") }

func (o *configFlags) apply(f *pflag.FlagSet, c run.Config) (run.Config, error) {
	for _, name := range o.names() {
		if f.Changed(name) {
			if err := o.set[name](&c); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// changed is the first of these flags that was given, "" for none.
func (o *configFlags) changed(f *pflag.FlagSet) string {
	for _, name := range append([]string{"preset"}, o.names()...) {
		if f.Changed(name) {
			return name
		}
	}
	return ""
}

func (o *configFlags) names() []string {
	names := make([]string, 0, len(o.set))
	for name := range o.set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

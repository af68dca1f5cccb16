package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/dataset/source"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/rundir"
	"moncae/internal/suggest"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// Config is what decides a run's result, together with the data. It is written
// to run.json.
type Config struct {
	Space       genome.Space `json:"space"`
	Algorithm   string       `json:"algorithm"`
	Population  int          `json:"population"`
	Generations int          `json:"generations"` // the first, random one too
	// Time is what a search may take, in seconds, which plans itself for it: then
	// Generations is the most of them, and the clock's decisions (Clock) say how many
	// there are, and what is finetuned. 0: as long as what is planned takes.
	Time float64 `json:"time,omitempty"`
	// Spread is how many genomes are drawn for a place of the first generation; the
	// one whose latent size is farthest from those before it takes the place.
	Spread int `json:"spread,omitempty"`
	// Init are genomes that take the first generation's first places.
	Init []genome.Genome `json:"init,omitempty"`
	// Inherit has children begin with their mothers' weights.
	Inherit bool `json:"inherit,omitempty"`
	// Window is how many candidates may be under way when the next is decided, where
	// that is done one by one (ehvi); a decision sees all results but theirs.
	Window int `json:"window,omitempty"`
	Epochs int `json:"epochs"`
	// EarlyStop ends trainings that can't come onto the front any more, judged within
	// their course by what others made of theirs.
	EarlyStop bool       `json:"early_stop,omitempty"`
	Patience  int        `json:"patience"` // epochs without a better validation loss; 0: all epochs
	Batch     int        `json:"batch"`
	Finetune  Finetune   `json:"finetune"`
	Loss      graph.Loss `json:"loss"`
	// Denoise is the standard deviation of the noise in training images, of pixels
	// in [0, 1]; 0: none.
	Denoise    float64   `json:"denoise,omitempty"`
	Objectives []string  `json:"objectives"`
	Reference  []float64 `json:"reference,omitempty"` // one per objective; empty: from the data
	Bounds     []Bound   `json:"bounds,omitempty"`
	Seed       uint64    `json:"seed"`
	// TrainLimit is how many training images the search uses, 0 for all; finetuning
	// always uses all.
	TrainLimit int     `json:"train_limit"`
	Validation float64 `json:"validation"` // share of the training images
	// ValidationSeed draws the validation split; nil: Seed does.
	ValidationSeed *uint64 `json:"validation_seed,omitempty"`
	// ValidationSplit is the data set's own split to validate on, source.Val, of which
	// Validation then tells the share; "": a part of the training split.
	ValidationSplit string `json:"validation_split,omitempty"`
	MaxFLOPs        int64  `json:"max_flops,omitempty"` // multiply-adds a pixel; 0: no limit
	// Precision is that of the trainings; engine.Auto until the run begins on a device.
	Precision engine.Precision `json:"precision"`
}

// Finetune is the training after the search.
type Finetune struct {
	Epochs int    `json:"epochs"` // 0: none
	Scope  string `json:"scope"`  // ScopeFront, ScopeSizes or ScopePopulation
	// Trial is how many epochs, Epochs at most, Scope gets first, after which the
	// front alone gets Epochs; 0: Scope gets Epochs.
	Trial int `json:"trial,omitempty"`
	// Recipe is how, for all; nil: each candidate's own.
	Recipe *arch.Recipe `json:"recipe,omitempty"`
	// Decided are the rounds of a search for a time, instead of Epochs, Scope and Trial.
	Decided []Round `json:"-"`
}

// What is finetuned at the end of a search.
const (
	ScopeFront      = "front"
	ScopeSizes      = "sizes"      // the front, and of every other latent size the best
	ScopePopulation = "population" // the front, and the last generation's population
)

// Scopes are the names that Finetune.Scope takes.
var Scopes = []string{ScopeFront, ScopeSizes, ScopePopulation}

// SetAlgorithm names the algorithm; one that decides candidate by candidate gets
// the usual window, and has children inherit weights; the others have neither.
func (c *Config) SetAlgorithm(name string) {
	c.Algorithm, c.Window, c.Inherit = name, 0, name == algorithm.EHVI
	if name == algorithm.EHVI {
		c.Window = usualWindow
	}
}

// usualWindow keeps as many workers busy, and costs a search little: a decision
// misses three results.
const usualWindow = 4

// MostEpochs are those of a training at most.
const MostEpochs = 1_000_000

// A configuration's other numbers go up to these: more than any search has a use for, and
// so little that nothing computed from them runs over.
const (
	mostCandidates = 1_000_000 // of all generations
	mostSpread     = 10_000
	mostImages     = math.MaxInt32
	mostFLOPs      = 100_000_000_000 // a pixel
	mostSeconds    = 1e9
)

// Validate tells everything that is wrong with the configuration, joined.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if err := c.Space.Validate(); err != nil {
		errs = append(errs, err)
	}
	check(slices.Contains(algorithm.Names, c.Algorithm), "algorithm %q is unknown: it is one of %s%s", c.Algorithm, strings.Join(algorithm.Names, ", "), suggest.Meant(c.Algorithm, algorithm.Names))
	// between tells whether a number is from least to most; takes says of one below what it may be.
	between := func(n, least, most int, what, takes string) bool {
		ok := n >= least && n <= most
		check(n >= least, "%s: %s", fmt.Sprintf(what, n), takes)
		check(n <= most, "%s: it is %d at most", fmt.Sprintf(what, n), most)
		return ok
	}
	candidates := between(c.Population, 2, mostCandidates, "population of %d", "it takes 2 at least")
	candidates = between(c.Generations, 1, mostCandidates, "%d generations", "it takes 1 at least") && candidates
	check(!candidates || c.Population*c.Generations <= mostCandidates, "%d generations of %d candidates: they are %d at most in all", c.Generations, c.Population, mostCandidates)
	check(c.Time >= 0 && c.Time <= mostSeconds, "a time of %v seconds: it is 0 (as long as it takes) or more, and %.0f at most", c.Time, mostSeconds)
	check(c.Time == 0 || c.Finetune.Epochs == 0, "a search for a time decides on its finetuning by the clock: the configuration has %d epochs", c.Finetune.Epochs)
	between(c.Spread, 0, mostSpread, "a spread of %d", "it is 0 (plain random) or more")
	check(len(c.Init) <= c.Population, "%d genomes to begin with, and a population of %d: it takes as many at least", len(c.Init), c.Population)
	for i, g := range c.Init {
		if err := c.Space.Check(g); err != nil && c.Space.Validate() == nil {
			errs = append(errs, fmt.Errorf("genome %d to begin with: %w", i, err))
		}
	}
	check(!c.Inherit || c.Algorithm != algorithm.Random, "algorithm %s has no children that could inherit weights: leave --inherit away, or take another algorithm", algorithm.Random)
	between(c.Window, 0, mostCandidates, "a window of %d", "it is 1 or more")
	check(c.Window > 0 || c.Algorithm != algorithm.EHVI, "algorithm %s needs a window of 1 or more: how many candidates may be under way when the next is decided", algorithm.EHVI)
	between(c.Epochs, 1, MostEpochs, "%d epochs", "it takes 1 at least")
	check(!c.EarlyStop || slices.Contains(c.Objectives, ObjectiveLoss) && !c.Uses(ObjectiveProbe),
		"stopping early needs the objective %s, and no %s: a training's course tells its loss alone", ObjectiveLoss, ObjectiveProbe)
	between(c.Patience, 0, MostEpochs, "patience %d", "it is 0 (never stop early) or more")
	between(c.Batch, 1, mostImages, "batch of %d", "it takes 1 at least")
	between(c.Finetune.Epochs, 0, MostEpochs, "%d epochs of finetuning", "it is 0 (none) or more")
	between(c.Finetune.Trial, 0, MostEpochs, "a trial of %d epochs", "it is 0 (none) or more")
	check(slices.Contains(Scopes, c.Finetune.Scope), "finetuning of %q: it is one of %s", c.Finetune.Scope, strings.Join(Scopes, ", "))
	if _, err := c.Loss.Blend(); err != nil {
		errs = append(errs, err)
	}
	check(c.Denoise >= 0 && c.Denoise <= 1, "noise of %v: its standard deviation is from 0 (none) to 1, as pixels are%s", c.Denoise, inBytes(c.Denoise))
	between(c.TrainLimit, 0, mostImages, "train limit of %d", "it is 0 (all) or more")
	check(c.Validation > 0 && c.Validation < 1, "validation share of %v: it is between 0 and 1", c.Validation)
	check(c.ValidationSplit == "" || c.ValidationSplit == source.Val, "validating on the split %q: it is %s, or a share of the training images", c.ValidationSplit, source.Val)
	check(c.ValidationSplit == "" || c.ValidationSeed == nil, "a seed of the validation images: those of the split %s aren't drawn", c.ValidationSplit)
	check(c.MaxFLOPs >= 0 && c.MaxFLOPs <= mostFLOPs, "at most %d multiply-adds a pixel: it is 0 (no limit) or more, and %d at most", c.MaxFLOPs, int64(mostFLOPs))
	if c.Finetune.Recipe != nil {
		if err := c.Finetune.Recipe.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("finetuning: %w", err))
		}
	}
	errs = append(errs, c.checkObjectives()...)
	if err := errors.Join(errs...); err != nil {
		return fault.Usagef("%w", err)
	}
	return nil
}

// inBytes helps those who think of pixels from 0 to 255.
func inBytes(sigma float64) string {
	if sigma > 1 && sigma <= 255 {
		return fmt.Sprintf("; %v of 255 is %.3g", sigma, sigma/255)
	}
	return ""
}

func (c Config) checkObjectives() []error {
	var errs []error
	if len(c.Objectives) < 2 {
		errs = append(errs, fmt.Errorf("%d objectives: it takes 2 at least", len(c.Objectives)))
	}
	for i, name := range c.Objectives {
		if err := checkObjective(name); err != nil {
			errs = append(errs, err)
		}
		if slices.Contains(c.Objectives[:i], name) {
			errs = append(errs, fmt.Errorf("objective %q stands there twice", name))
		}
	}
	if n := len(c.Reference); n > 0 && n != len(c.Objectives) {
		errs = append(errs, fmt.Errorf("reference point of %d numbers for %d objectives", n, len(c.Objectives)))
	}
	for _, r := range c.Reference {
		if math.IsNaN(r) || math.IsInf(r, 0) {
			errs = append(errs, fmt.Errorf("reference point %v is not finite", c.Reference))
		}
	}
	for _, b := range c.Bounds {
		if err := checkObjective(b.Objective); err != nil {
			errs = append(errs, fmt.Errorf("bound %v: %w", b, err))
		} else if err := b.keepable(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Divide gives the rows of a set that trainings learn from, and those that they are
// validated on.
func (c Config) Divide(set *dataset.Set) (training, validation []int32, err error) {
	if c.ValidationSplit != "" {
		return dataset.Own(set, c.ValidationSplit)
	}
	return dataset.Split(set, c.Validation, c.SplitSeed())
}

// Share has Validation be the share that the data set's own split is, where that validates.
func (c Config) Share(set *dataset.Set) (Config, error) {
	if c.ValidationSplit == "" {
		return c, nil
	}
	_, validation, err := c.Divide(set)
	c.Validation = float64(len(validation)) / float64(set.Rows())
	return c, err
}

// Split is what a data set is asked for, for both.
func (c Config) Split() string {
	if c.ValidationSplit != "" {
		return source.TrainVal
	}
	return source.Train
}

// SplitSeed draws the validation split; 0 for the data set's own, which is one for all seeds.
func (c Config) SplitSeed() uint64 {
	if c.ValidationSplit != "" {
		return 0
	}
	if c.ValidationSeed != nil {
		return *c.ValidationSeed
	}
	return c.Seed
}

// RunID hashes what two equal runs agree on.
func (c Config) RunID(fingerprint string) string {
	b, err := json.Marshal(struct {
		Config Config `json:"config"`
		Data   string `json:"data"`
	}{c, fingerprint})
	if err != nil {
		panic("run: " + err.Error()) // a number that is not finite: refused by Validate
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// ConfigOf reads a run's configuration.
func ConfigOf(dir *rundir.Dir) (Config, error) {
	var c Config
	if err := json.Unmarshal(dir.Manifest.Config, &c); err != nil {
		return c, fault.Damagedf("%s: run.json: field config: %w", dir.Path, err)
	}
	if err := c.Validate(); err != nil {
		return c, fault.Damagedf("%s: run.json: field config: %w", dir.Path, err)
	}
	if err := c.checkManifest(dir.Manifest); err != nil {
		return c, fault.Damagedf("%s: run.json: %w", dir.Path, err)
	}
	return c, nil
}

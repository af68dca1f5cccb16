package search

import (
	"math/bits"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/internal/suggest"
	"moncae/internal/train"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// Presets are the names that Preset takes.
var Presets = []string{"quick", "standard", Paper}

// Paper is the preset that keeps the paper's protocol, whatever the data are.
const Paper = "paper"

// Preset is a configuration by name. FinetuneRecipe is how quick and standard
// finetune; paper's candidates keep their own recipes.
func Preset(name string) (Config, error) {
	recipe := FinetuneRecipe
	c := Config{
		Loss: graph.BCE, Objectives: []string{run.ObjectiveLoss, run.ObjectiveLOC},
		Spread: 8, Seed: 46, Validation: 0.1, Precision: engine.Auto,
		Finetune: run.Finetune{Scope: run.ScopeFront, Recipe: &recipe},
	}
	c.SetAlgorithm(algorithm.EHVI)
	switch name {
	case "quick":
		c.Space = genome.Space{MaxBlocks: 4, MaxFilters: 32}.Named(genome.Extended)
		c.Population, c.Generations, c.Epochs, c.Batch, c.MaxFLOPs = 16, 5, 3, 16, 2000
		c.Finetune.Scope, c.Finetune.Trial, c.Finetune.Epochs = run.ScopeSizes, 4, 16
	case "standard":
		c.Space = genome.Space{MaxBlocks: 5, MaxFilters: 64}.Named(genome.Extended)
		c.Population, c.Generations, c.Epochs, c.Batch = 16, 10, 5, 32
		c.Finetune.Scope, c.Finetune.Trial, c.Finetune.Epochs = run.ScopeSizes, 4, 20
		c.TrainLimit, c.MaxFLOPs = 10000, 10000
	case Paper:
		c.SetAlgorithm(algorithm.Moncae)
		c.Space = genome.Space{MaxBlocks: 6, MaxFilters: 128}.Named(genome.Paper)
		c.Population, c.Generations, c.Epochs, c.Batch = 20, 20, 5, 256
		c.Finetune = run.Finetune{Epochs: 20, Scope: run.ScopePopulation}
		c.Reference, c.Spread, c.Patience, c.Precision = []float64{4, 12}, 0, 1, engine.Float32
	default:
		return c, fault.Usagef("preset %q is unknown: it is one of %s%s", name, strings.Join(Presets, ", "), suggest.Meant(name, Presets))
	}
	return c, nil
}

// An epoch of a preset stands for epochImages at least, those of the built-in digits,
// on which the presets' epochs were found; in batches of no more than usualBatch, so
// that large ones don't make few steps of them.
const (
	epochImages = 4480
	usualBatch  = 32
)

// ForData fits what a preset plans to so many images of a shape: where an epoch of
// all of them has fewer steps than that, there are more epochs; and there are
// as many blocks as can bring the longer side down to two, for a small latent of
// more pixels has to do with a channel, and colours are lost.
func ForData(c Config, shape arch.Shape, images int) Config {
	rows := images - int(c.Validation*float64(images))
	steps := max(1, rows/max(1, train.Batch(c.Batch, rows)))
	least := epochImages / max(1, min(c.Batch, usualBatch))
	more := (least + steps - 1) / steps // 1 at least
	c.Epochs *= more
	c.Finetune.Trial *= more
	c.Finetune.Epochs *= more
	halvings := bits.Len(uint(max(shape.H, shape.W) - 1))
	c.Space.MaxBlocks = max(c.Space.MaxBlocks, halvings)
	return c
}

// FinetuneRecipe is how a front is finetuned: a search compares candidates by
// short trainings, and what they need after it is one good long one.
var FinetuneRecipe = arch.Recipe{Optimizer: arch.Adam, LearningRate: 0.01, Schedule: arch.OneCycle}

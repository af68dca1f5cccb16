package search

import (
	"strings"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

// Presets are the names that Preset takes.
var Presets = []string{"quick", "standard", "paper"}

// Preset is a configuration by name. FinetuneRecipe is how quick and standard
// finetune; paper's candidates keep their own recipes.
func Preset(name string) (Config, error) {
	recipe := FinetuneRecipe
	c := Config{
		Algorithm: algorithm.Moncae, Loss: graph.BCE, Objectives: []string{run.ObjectiveLoss, run.ObjectiveLOC},
		Spread: 8, Patience: 1, Seed: 46, Validation: 0.1, Precision: engine.Float32,
		Finetune: run.Finetune{Scope: run.ScopeFront, Recipe: &recipe},
	}
	switch name {
	case "quick":
		c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 4, MaxFilters: 16}
		c.Population, c.Generations, c.Epochs, c.Batch, c.MaxFLOPs = 16, 5, 3, 32, 2000
		c.Finetune.Scope, c.Finetune.Trial, c.Finetune.Epochs = run.ScopeSizes, 4, 16
	case "standard":
		c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 5, MaxFilters: 64}
		c.Population, c.Generations, c.Epochs, c.Batch = 16, 10, 5, 32
		c.Finetune.Scope, c.Finetune.Trial, c.Finetune.Epochs = run.ScopeSizes, 4, 20
		c.TrainLimit, c.MaxFLOPs = 10000, 10000
	case "paper":
		c.Space = genome.Space{Name: genome.Paper, MaxBlocks: 6, MaxFilters: 128}
		c.Population, c.Generations, c.Epochs, c.Batch = 20, 20, 5, 256
		c.Finetune = run.Finetune{Epochs: 20, Scope: run.ScopePopulation}
		c.Reference, c.Spread = []float64{4, 12}, 0
	default:
		return c, fault.Usagef("preset %q is unknown: it is one of %s", name, strings.Join(Presets, ", "))
	}
	return c, nil
}

// FinetuneRecipe is how a front is finetuned: a search compares candidates by
// short trainings, and what they need after it is one good long one.
var FinetuneRecipe = arch.Recipe{Optimizer: arch.Adam, LearningRate: 3e-3, Schedule: arch.OneCycle}

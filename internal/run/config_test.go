package run

import (
	"math"
	"strings"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/graph"
	"moncae/search/algorithm"
	"moncae/search/genome"
)

func valid() Config {
	return Config{
		Space: genome.Space{Name: genome.Extended, MaxBlocks: 2, MaxFilters: 4}, Algorithm: algorithm.Moncae, Population: 4, Generations: 2, Epochs: 1, Batch: 8,
		Finetune: Finetune{Scope: ScopeFront}, Loss: graph.BCE, Objectives: []string{ObjectiveLoss, ObjectiveLOC}, Validation: 0.1, Precision: engine.Float32,
	}
}

func TestValidateTellsEverything(t *testing.T) {
	c := valid()
	c.Population, c.Algorithm, c.Validation, c.Objectives = 1, "magic", 1, []string{"loss", "beauty", "latency"}
	c.Reference = []float64{1, math.Inf(1)}
	err := c.Validate()
	if fault.Of(err) != fault.Usage {
		t.Fatalf("%v is no usage error", err)
	}
	for _, want := range []string{"population of 1", `"magic"`, "share of 1", `"beauty"`, `"latency" is not available`, "2 numbers for 3", "not finite"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestNumbersThatRunOverAreRefused(t *testing.T) {
	const most = math.MaxInt
	for name, change := range map[string]func(*Config){
		"population":             func(c *Config) { c.Population = most },
		"generations":            func(c *Config) { c.Generations = most },
		"candidates in all":      func(c *Config) { c.Population, c.Generations = 10_000, 10_000 },
		"a product that is over": func(c *Config) { c.Population, c.Generations = 1<<62+1, 4 },
		"spread":                 func(c *Config) { c.Spread = most },
		"window":                 func(c *Config) { c.Window = most },
		"epochs":                 func(c *Config) { c.Epochs = most },
		"patience":               func(c *Config) { c.Patience = most },
		"batch":                  func(c *Config) { c.Batch = most },
		"finetune":               func(c *Config) { c.Finetune.Epochs = most },
		"trial":                  func(c *Config) { c.Finetune.Trial = most },
		"train limit":            func(c *Config) { c.TrainLimit = most },
		"flops":                  func(c *Config) { c.MaxFLOPs = most },
		"time":                   func(c *Config) { c.Time = 1e300 },
		"layers":                 func(c *Config) { c.Space.MaxBlocks = most },
		"filters":                func(c *Config) { c.Space.MaxFilters = most },
	} {
		c := valid()
		change(&c)
		if err := c.Validate(); fault.Of(err) != fault.Usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunIDIgnoresNothingThatCounts(t *testing.T) {
	c := valid()
	id := c.RunID("data")
	if id != c.RunID("data") || len(id) != 16 {
		t.Errorf("id %s", id)
	}
	other := c
	other.Seed++
	if other.RunID("data") == id || c.RunID("other data") == id {
		t.Error("seed or data don't change the id")
	}
}

func TestParseBound(t *testing.T) {
	if b, err := ParseBound(" loc <= 1.9"); err != nil || b != (Bound{ObjectiveLOC, 1.9}) {
		t.Errorf("%v, %v", b, err)
	}
	for _, bad := range []string{"", "loc", "loc<1.9", "loc<=", "loc<=much", "beauty<=1", "loc<=NaN"} {
		if _, err := ParseBound(bad); fault.Of(err) != fault.Usage {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestStaticObjectives(t *testing.T) {
	conv := func(f int) arch.Layer { return arch.Layer{Kind: arch.Conv, Filters: f, Kernel: 3, Stride: 1} }
	a := arch.Arch{
		Input:   arch.Shape{C: 1, H: 8, W: 4},
		Encoder: arch.Stack{conv(2), {Kind: arch.MaxPool}}, // 2×4×2
		Decoder: arch.Stack{{Kind: arch.Upsample, To: &[2]int{8, 4}}, conv(1)},
	}
	want := Values{"loc": math.Log10(16), "bits": 16, "params": 2*9 + 2 + 2*9 + 1, "flops": 32*9*2 + 32*9*2}
	got := Static(a)
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s: %v, want %v", name, got[name], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}

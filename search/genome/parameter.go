package genome

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Parameter is a gene as the optimiser of another program sees it.
type Parameter struct {
	Name string `json:"name"` // for example block2.kernel
	Type string `json:"type"` // Categorical or Float
	// Choices of a categorical one, numbers ascending, and how likely each is when a
	// genome is drawn at random (none: equally).
	Choices       []any     `json:"choices,omitempty"`
	Probabilities []float64 `json:"probabilities,omitempty"`
	// Range of a float one, its end excluded; it is drawn uniformly.
	Range []float64 `json:"range,omitempty"`
	// If names the parameter that has to be true, or this one counts for nothing.
	If string `json:"if,omitempty"`
}

// The types of a parameter.
const (
	Categorical = "categorical"
	Float       = "float"
)

// Parameters are the genes of the space that have more than one value. What a
// genome's network is depends on them alone.
func (s Space) Parameters() []Parameter {
	var all []Parameter
	for _, gene := range s.genes() {
		if p := gene.parameter(); !p.fixed() {
			all = append(all, p)
		}
	}
	return all
}

// FromParameters makes a genome of values by parameter. Those of a block that is
// not active, and those that have one value, may be left out.
func (s Space) FromParameters(values map[string]json.RawMessage) (Genome, error) {
	g := Genome{Blocks: make([]Block, s.MaxBlocks)}
	known := map[string]bool{}
	for _, gene := range s.genes() {
		p := gene.parameter()
		value, given := values[p.Name]
		switch {
		case given:
			if string(value) == "null" || gene.set(&g, value) != nil || !gene.valid(&g) {
				return g, fmt.Errorf("parameter %s is %s: it is %s", p.Name, value, p)
			}
		case p.fixed(), p.If != "" && !g.Blocks[gene.block].Active:
			gene.first(&g)
		default:
			return g, fmt.Errorf("parameter %s is missing: it is %s", p.Name, p)
		}
		known[p.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			return g, fmt.Errorf("parameter %s is unknown: the space has none of this name", name)
		}
	}
	return g, nil
}

// parameter is the gene as others see it.
func (g gene) parameter() Parameter {
	p := Parameter{Name: g.field, Type: Float, Range: []float64{0, 1}}
	if g.choices != nil {
		p = Parameter{Name: g.field, Type: Categorical, Choices: g.choices()}
	}
	if g.block >= 0 {
		p.Name = fmt.Sprintf("block%d.%s", g.block, g.field)
	}
	if active := fmt.Sprintf("block%d.active", g.block); g.block > 0 && p.Name != active {
		p.If = active
	}
	if g.rare { // its first choice is off
		p.Probabilities = slices.Repeat([]float64{Rarely / float64(len(p.Choices)-1)}, len(p.Choices))
		p.Probabilities[0] = 1 - Rarely
	}
	return p
}

// fixed tells of a parameter that has one value.
func (p Parameter) fixed() bool { return p.Type == Categorical && len(p.Choices) == 1 }

// String tells which values the parameter takes.
func (p Parameter) String() string {
	if p.Type == Float {
		return fmt.Sprintf("a number from %v to below %v", p.Range[0], p.Range[1])
	}
	words, err := json.Marshal(p.Choices)
	if err != nil {
		panic(err) // words, numbers and truth values
	}
	return "one of " + string(words)
}

// sorted are options with numbers ascending; others stay in their order.
func sorted[T comparable](options []T) []any {
	var all []any
	for _, o := range options {
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b any) int {
		switch a := a.(type) {
		case int:
			return cmp.Compare(a, b.(int))
		case float64:
			return cmp.Compare(a, b.(float64))
		}
		return 0
	})
	return all
}

package surrogate

import (
	_ "embed"
	"encoding/json"
	"errors"
	"slices"
)

//go:embed prior.json
var learned []byte

// Prior is what is expected of a training before any is seen: a line over
// standardised features.
type Prior struct {
	Features []string  `json:"features"` // Names, when it was learned
	Mean     []float64 `json:"mean"`
	Scale    []float64 `json:"scale"`
	Weights  []float64 `json:"weights"`
	Level    float64   `json:"level"`

	// slope is the standard deviation of a weight's difference from that of the prior.
	slope float64
}

// What a data set's weights may differ by: from those that were learned, and where
// nothing was.
const learnedSlope, flatSlope = 0.03, 0.15

// Learned is the prior of a reconstruction loss, as
// internal/tools/learnprior made it from searches on several data sets.
func Learned() Prior {
	p, err := ReadPrior(learned)
	if err != nil {
		panic("surrogate: prior.json: " + err.Error()) // it is part of the program
	}
	return p
}

// ReadPrior reads what internal/tools/learnprior wrote.
func ReadPrior(content []byte) (Prior, error) {
	p := Prior{slope: learnedSlope}
	if err := json.Unmarshal(content, &p); err != nil {
		return p, err
	}
	if !slices.Equal(p.Features, Names) || len(p.Mean) != len(Names) || len(p.Scale) != len(Names) || len(p.Weights) != len(Names) {
		return p, errors.New("it was learned for other features")
	}
	return p, nil
}

// What a training's level gains by each unit of Inherited, and a usual value of that:
// mnist-mini's networks of 4 to 98 values, trained on for as long as before, gained half
// as much to twice as much, and larger ones less.
const inheritedGain, inheritedScale = -0.05, 2.5

// Inheriting is p with the feature Inherited behind the others.
func (p Prior) Inheriting() Prior {
	p.Features = append(slices.Clone(p.Features), inheriting)
	p.Mean, p.Scale = append(slices.Clone(p.Mean), 0), append(slices.Clone(p.Scale), inheritedScale)
	p.Weights = append(slices.Clone(p.Weights), inheritedGain*inheritedScale)
	return p
}

// Flat expects nothing of any feature, and scales them like p.
func (p Prior) Flat() Prior {
	p.Weights, p.Level, p.slope = make([]float64, len(p.Weights)), 0, flatSlope
	return p
}

func (p Prior) standardise(x []float64) []float64 {
	row := make([]float64, len(x))
	for i, v := range x {
		row[i] = (v - p.Mean[i]) / p.Scale[i]
	}
	return row
}

func (p Prior) mean(row []float64) float64 {
	m := p.Level
	for i, v := range row {
		m += v * p.Weights[i]
	}
	return m
}

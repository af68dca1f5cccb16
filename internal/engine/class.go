package engine

import (
	"fmt"
	"strings"
)

// Class is what a training's bits depend on beside net, data and seed: trainings
// of equal classes give equal bits. How many devices there are is no part of it.
type Class struct {
	Engine    string    `json:"engine"`
	Version   string    `json:"version"` // of the library that computes
	Device    string    `json:"device"`  // its model
	ISA       string    `json:"isa"`     // instruction set, or a GPU's compute capability
	Precision Precision `json:"precision"`
}

// Mixed is the engine's name in a class of trainings that any engine may do: their bits
// depend on which did.
const Mixed = "mixed"

// Class is that of trainings in precision p on the engine that i describes.
func (i Info) Class(p Precision) Class {
	if p == "" {
		p = Float32
	}
	return Class{Engine: i.Name, Version: i.Version, Device: i.Model, ISA: i.ISA, Precision: p}
}

// Difference says in words in what here differs from c; "" where they are equal.
func (c Class) Difference(here Class) string {
	var parts []string
	for _, field := range []struct{ name, was, is string }{
		{"engine", c.Engine, here.Engine}, {"version", c.Version, here.Version}, {"device", c.Device, here.Device},
		{"instruction set", c.ISA, here.ISA}, {"precision", string(c.Precision), string(here.Precision)},
	} {
		if field.was != field.is {
			parts = append(parts, fmt.Sprintf("%s %s, here %s", field.name, field.was, field.is))
		}
	}
	return strings.Join(parts, "; ")
}

// Package wire has another program's optimiser drive a search's space and its
// trainings, by lines of JSON (docs/format/evaluate.md): it reads questions, and
// answers each by one line, those that take a training when it is over.
//
// A line that can't be understood is answered by one with the status "error", and
// changes nothing. Trainings that wait are kept in memory, some kilobytes each, so
// that questions are always read; a caller that sends many before it reads
// answers is held up only by its own pipe.
package wire

import (
	"encoding/json"

	"moncae/internal/arch"
	"moncae/internal/run"
	"moncae/search/genome"
)

// What is asked.
const (
	opSpace    = "space"
	opDescribe = "describe"
	opEvaluate = "evaluate"
)

// What is answered.
const (
	ok      = "ok"
	refused = "refused" // the network can't become a member of a front
	failed  = "failed"  // its training ended without a result
	wrong   = "error"   // the question can't be understood
)

// question is a line that is read.
type question struct {
	Op     string                     `json:"op"`
	ID     json.RawMessage            `json:"id"`
	Params map[string]json.RawMessage `json:"params"`
	Seed   *uint64                    `json:"seed"`
}

// answer is a line that is written.
type answer struct {
	Op         string          `json:"op,omitempty"`
	ID         json.RawMessage `json:"id,omitempty"`
	Status     string          `json:"status"`
	Error      string          `json:"error,omitempty"`
	Line       int             `json:"line,omitempty"` // of the question, from 1
	Objectives run.Values      `json:"objectives,omitempty"`
	*space
	*network
	*result
}

// space answers opSpace.
type space struct {
	Names      []string           `json:"names"` // of the objectives
	Exact      []string           `json:"exact"` // of those, what opDescribe tells
	Reference  []float64          `json:"reference"`
	Bounds     []run.Bound        `json:"bounds,omitempty"`
	Image      arch.Shape         `json:"image"`
	MaxSteps   int                `json:"max_steps"` // of a training
	Jobs       int                `json:"jobs"`
	Parameters []genome.Parameter `json:"parameters"`

	Data           string `json:"data"` // fingerprint of the data set
	Seed           uint64 `json:"seed"`
	ValidationSeed uint64 `json:"validation_seed"`
}

// network is what is known before a training.
type network struct {
	Identity string     `json:"identity"`
	Latent   arch.Shape `json:"latent"`
}

// result is what a training came to.
type result struct {
	Figures *run.Figures `json:"figures,omitempty"`
	Steps   int          `json:"steps"`
	Seconds float64      `json:"seconds"`
}

// Package task holds the search's work as values. A Training says all that the bits
// of a training depend on, so that it may be done anywhere: by Here in this process,
// or in another one on an engine of the same class.
package task

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/internal/run"
	"moncae/internal/train"
)

// Trainer does trainings and measurements, several at once, on the images that Load
// has brought to it last.
type Trainer interface {
	run.Measurer
	// Info describes the engine that trains.
	Info() engine.Info
	// Train does a training. A network that can't be trained is a Trained with a
	// Failure; an error is the machine's or the caller's.
	Train(context.Context, Training, Watch) (Trained, error)
}

// Training is a training, whole: equal ones give equal bits.
type Training struct {
	Moncae string       `json:"moncae"` // version
	Class  engine.Class `json:"engine_class"`
	Data   string       `json:"data"` // dataset.Fingerprint of the images

	Arch     arch.Arch   `json:"arch"`
	Recipe   arch.Recipe `json:"recipe"`
	Loss     graph.Loss  `json:"loss"`
	Denoise  float64     `json:"denoise,omitempty"` // run.Config's
	Epochs   int         `json:"epochs"`
	Patience int         `json:"patience"`
	Batch    int         `json:"batch"`
	Seed     uint64      `json:"seed"`
	// Rungs are where it is judged before its end.
	Rungs []train.Rung `json:"rungs,omitempty"`

	Train      Rows `json:"train"`
	Validation Rows `json:"validation"`
	// Start are the weights that it begins with; nil: drawn.
	Start *Start `json:"start,omitempty"`
	// Probe, where set, is measured on the best weights.
	Probe *Probe `json:"probe,omitempty"`
}

// Rows are row numbers of a data set; as JSON their key stands for them.
type Rows struct {
	Numbers []int32
	Key     string // SHA-256 of the numbers, little-endian
}

// RowsOf gives numbers their key.
func RowsOf(numbers []int32) Rows {
	sum := sha256.Sum256(rowBytes(numbers))
	return Rows{numbers, hex.EncodeToString(sum[:])}
}

func rowBytes(numbers []int32) []byte {
	b := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}

// MarshalJSON writes the key.
func (r Rows) MarshalJSON() ([]byte, error) { return json.Marshal(r.Key) }

// UnmarshalJSON reads the key; the numbers are elsewhere.
func (r *Rows) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &r.Key) }

// Start are first weights, and the SHA-256 of their file.
type Start struct {
	Weights arch.Weights `json:"-"`
	SHA256  string       `json:"sha256"`
	Keep    bool         `json:"keep,omitempty"` // they stay unless beaten
}

// StartOf begins with weights of the network a that are in no file.
func StartOf(a arch.Arch, w arch.Weights) (*Start, error) {
	content, err := encodeWeights(a, w)
	sum := sha256.Sum256(content)
	return &Start{Weights: w, SHA256: hex.EncodeToString(sum[:])}, err
}

// Trained is what came of a training.
type Trained struct {
	train.Outcome
	// SSIM and Probe are the best weights' own, on the validation images.
	SSIM  float64
	Probe float64
}

// Watch hears of a training under way, and keeps its checkpoints. All of it may be nil.
type Watch struct {
	Progress func(images int)           // since the last
	Epoch    func(n int, e train.Epoch) // from 1
	Keeping  train.Keeping
	// Halt, where set, tells that the training is to end with what it has; a worker is
	// not asked.
	Halt func() bool
}

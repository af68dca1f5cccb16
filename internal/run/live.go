package run

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"moncae/internal/arch"
	"moncae/internal/regular"
)

// LiveFile is a file of the run's folder that says what its search is doing now.
const LiveFile = "live.json"

// Stale is the age from which on a live.json tells nothing: its search has died.
const Stale = 15 * time.Second

// Live is live.json: it is replaced about once a second, and goes when the search
// ends. It is for people who watch; nothing is decided by it, and it is not synced.
type Live struct {
	Format      string     `json:"format"` // moncae.live
	Version     int        `json:"version"`
	Phase       string     `json:"phase"`        // for example "generation 2 of 5"
	Fraction    float64    `json:"fraction"`     // of the whole search, finetuning included
	SecondsLeft float64    `json:"seconds_left"` // estimated, of the whole search
	Text        string     `json:"text"`         // phase, trainings and time left in a line
	Candidates  []InFlight `json:"candidates"`   // that are being trained, in the order of their ids
}

// InFlight is a training under way.
type InFlight struct {
	ID         string     `json:"id"`
	Latent     arch.Shape `json:"latent"`
	Finetuning bool       `json:"finetuning,omitempty"`
	Epoch      int        `json:"epoch"` // under way, from 1
	Epochs     int        `json:"epochs"`
	Curve      []float64  `json:"curve"` // validation loss after each epoch so far
}

// ReadLive gives the content of a run's live.json; nil where no search is at work.
func ReadLive(path string) ([]byte, error) {
	file := filepath.Join(path, LiveFile)
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && time.Since(info.ModTime()) > Stale {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	content, err := regular.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil || !json.Valid(content) {
		return nil, err
	}
	return content, nil
}

package arch

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Optimizer names an update rule.
type Optimizer string

// The optimisers, with Keras' constants (internal/train states the formulas).
const (
	Adam     Optimizer = "adam"
	RMSprop  Optimizer = "rmsprop"
	Adagrad  Optimizer = "adagrad"
	Adadelta Optimizer = "adadelta"
	SGD      Optimizer = "sgd" // with momentum 0.9
)

// Schedule names how the learning rate moves over a training.
type Schedule string

// The schedules.
const (
	Constant Schedule = "constant"
	OneCycle Schedule = "one_cycle"
	Cosine   Schedule = "cosine"
)

// Recipe is how a network is trained; with the Arch it makes its identity.
type Recipe struct {
	Optimizer    Optimizer `json:"optimizer"`
	LearningRate float64   `json:"learning_rate"`
	Schedule     Schedule  `json:"schedule"`
}

// Validate tells what is wrong with the recipe.
func (r Recipe) Validate() error {
	switch r.Optimizer {
	case Adam, RMSprop, Adagrad, Adadelta, SGD:
	default:
		return fmt.Errorf("optimizer %q is unknown", r.Optimizer)
	}
	switch r.Schedule {
	case Constant, OneCycle, Cosine:
	default:
		return fmt.Errorf("schedule %q is unknown", r.Schedule)
	}
	if !(r.LearningRate > 0 && r.LearningRate <= 10) {
		return fmt.Errorf("learning rate %v is not in (0, 10]", r.LearningRate)
	}
	return nil
}

// Identity is the SHA-256 of a network and its recipe: two candidates with one
// identity are the same network and are trained once.
func Identity(a Arch, r Recipe) string {
	b, err := json.Marshal(struct {
		Arch   Arch   `json:"arch"`
		Recipe Recipe `json:"recipe"`
	}{a, r})
	if err != nil {
		panic("arch: " + err.Error()) // a rate or learning rate that is not a number: refused by Validate
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

package engine

import (
	"fmt"

	"moncae/internal/arch"
)

// State is where a training stands: with the rows and rates to come, it decides
// every bit that comes. It belongs to the engine, the net and the Config of the
// Program that gave it.
type State struct {
	Steps   uint64 // since SetWeights; the position in dropout's stream of numbers
	Weights arch.Weights
	// Slots are what the optimiser keeps of each trained parameter, in the engine's
	// own order.
	Slots [2]arch.Weights
	// Averages are the sums behind the running averages, not bias-corrected.
	Averages map[string][]float64
}

// Check tells why the state is not one of a network with these parameters.
func (s State) Check(params []arch.Param) error {
	if err := s.Weights.Check(params); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	var trained []arch.Param
	for _, p := range params {
		if p.Trained() {
			trained = append(trained, p)
		} else if got := len(s.Averages[p.Name]); got != p.Size() {
			return fmt.Errorf("state: average %s has %d values, the network's has %d", p.Name, got, p.Size())
		}
	}
	if got, want := len(s.Averages), len(params)-len(trained); got != want {
		return fmt.Errorf("state: %d averages, the network has %d", got, want)
	}
	for i, slot := range s.Slots {
		if err := slot.Check(trained); err != nil {
			return fmt.Errorf("state: slot %d: %w", i, err)
		}
	}
	return nil
}

package run

import (
	"fmt"
	"slices"
)

// Clock is a decision of a search for a time: one of its fields is set.
type Clock struct {
	Generations int    `json:"generations,omitempty"` // the search has so many
	Round       *Round `json:"round,omitempty"`       // of finetuning, the next
	Over        bool   `json:"over,omitempty"`        // nothing more is trained
}

// Decided is a configuration with what the clock has decided so far.
func (st *State) Decided(c Config) Config {
	for _, d := range st.Clock {
		c = c.With(d)
	}
	return c
}

// With is the configuration after one more decision.
func (c Config) With(d Clock) Config {
	switch {
	case d.Generations > 0:
		c.Generations = d.Generations
	case d.Round != nil:
		c.Finetune.Decided = append(slices.Clip(c.Finetune.Decided), *d.Round)
	}
	return c
}

// Over tells whether the clock has ended the search.
func (st *State) Over() bool {
	return slices.ContainsFunc(st.Clock, func(d Clock) bool { return d.Over })
}

func (c Config) checkClock(d Clock) error {
	fields := 0
	for _, set := range []bool{d.Generations != 0, d.Round != nil, d.Over} {
		if set {
			fields++
		}
	}
	switch r := d.Round; {
	case c.Time == 0:
		return fmt.Errorf("the clock decides nothing in a search without a time")
	case fields != 1 || d.Generations < 0 || d.Generations > c.Generations:
		return fmt.Errorf("the clock decides on %d things, %d of %d generations", fields, d.Generations, c.Generations)
	case r != nil && (!slices.Contains(Scopes, r.Scope) || r.Epochs < 1 || r.Images < 0):
		return fmt.Errorf("the clock decides on %d epochs of %d images for %q", r.Epochs, r.Images, r.Scope)
	}
	return nil
}

//go:build nvidia && linux && amd64

package cuda

import (
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/cuda/plan"
)

// state is an engine.State in the layouts of the device. A training begins
// without slots.
type state struct {
	params  []float32
	slots   [2][]float32
	running []float32
	steps   []uint64 // one number
}

// State copies out where the training stands.
func (p *program) State() (engine.State, error) {
	l := &p.plan.Layout
	flat := state{params: make([]float32, l.Total), running: make([]float32, l.Total), steps: make([]uint64, 1)}
	for i := range flat.slots {
		flat.slots[i] = make([]float32, l.Total)
	}
	if err := p.call(func() error { return p.on.downloadState(&flat) }); err != nil {
		return engine.State{}, fmt.Errorf("cuda: reading the state: %w", err)
	}
	s := engine.State{Steps: flat.steps[0], Weights: l.Unpack(flat.params), Averages: map[string][]float64{}}
	for i := range s.Slots {
		s.Slots[i] = l.Unpack(flat.slots[i])
	}
	averages := l.Unpack(flat.running)
	for _, q := range p.plan.Net.Params {
		if q.Trained() {
			continue
		}
		delete(s.Slots[0], q.Name)
		delete(s.Slots[1], q.Name)
		for _, v := range averages[q.Name] {
			s.Averages[q.Name] = append(s.Averages[q.Name], float64(v))
		}
	}
	return s, nil
}

// SetState goes on from s.
func (p *program) SetState(s engine.State) error {
	if err := s.Check(p.plan.Net.Params); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	l := &p.plan.Layout
	averages := arch.Weights{}
	for name, sum := range s.Averages {
		for _, v := range sum {
			averages[name] = append(averages[name], float32(v))
		}
	}
	return p.begin(state{
		params: l.Pack(s.Weights), running: l.Pack(averages)[l.Trained:], steps: []uint64{s.Steps},
		slots: [2][]float32{l.Pack(s.Slots[0])[:l.Trained], l.Pack(s.Slots[1])[:l.Trained]},
	})
}

// begin makes s what the history that follows is counted from.
func (p *program) begin(s state) error {
	p.start, p.history = s, history{}
	if err := p.call(func() error { return p.on.reset(p.start, p.optimizer) }); err != nil {
		return fmt.Errorf("cuda: setting weights: %w", err)
	}
	return nil
}

// downloadState reads the regions of a state into slices of Layout.Total values.
func (r *resident) downloadState(s *state) error {
	l := &r.program.plan.Layout
	if err := r.download(s.params); err != nil {
		return err
	}
	for i, region := range []plan.Region{plan.SlotA, plan.SlotB} {
		if err := download(r, region, 0, s.slots[i][:l.Trained]); err != nil {
			return err
		}
	}
	if running := s.running[l.Trained:]; len(running) > 0 {
		if err := download(r, plan.Running, 0, running); err != nil {
			return err
		}
	}
	return download(r, plan.Steps, 0, s.steps)
}

// uploadState brings what reset has set to zero.
func (r *resident) uploadState(s state) error {
	for i, region := range []plan.Region{plan.SlotA, plan.SlotB} {
		if err := upload(r, region, s.slots[i]); err != nil {
			return err
		}
	}
	if len(s.running) > 0 {
		if err := upload(r, plan.Running, s.running); err != nil {
			return err
		}
	}
	return upload(r, plan.Steps, s.steps)
}

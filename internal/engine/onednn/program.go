//go:build onednn && cgo

package onednn

import (
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/lower"
	"moncae/internal/engine/onednn/native"
	"moncae/internal/engine/onednn/plan"
	"moncae/internal/graph"
)

// program is a net with its two plans, which share a block: they never run at once.
type program struct {
	engine *cpu
	net    *graph.Net
	data   *data
	layout lower.Layout
	bf16   bool // activations of trainings

	params       *native.Net
	train, infer *native.Plan
	block        native.Block
	lowered      *plan.Plan // of the training
}

func (p *program) build(optimizer int, o plan.Options) error {
	train, err := plan.Train(p.net, p.layout, o)
	if err != nil {
		return err
	}
	p.lowered = train
	infer, err := plan.Infer(p.net, p.layout, o)
	if err != nil {
		return err
	}
	if p.params, err = native.NewNet(p.layout.Trained, p.layout.Total-p.layout.Trained, optimizer); err != nil {
		return err
	}
	if p.train, err = native.NewPlan(p.params, train); err != nil {
		return err
	}
	if p.infer, err = native.NewPlan(p.params, infer); err != nil {
		return err
	}
	if p.block, err = p.engine.pool.take(max(p.train.Bytes(), p.infer.Bytes())); err != nil {
		return err
	}
	p.train.Bind(p.block)
	p.infer.Bind(p.block)
	return nil
}

func (p *program) Train(rows []int32, rates []float32, losses []float32) error {
	if err := engine.CheckTrain(p.net, p.data.source.Rows(), rows, rates, losses); err != nil {
		return fmt.Errorf("onednn: %w", err)
	}
	return p.train.Train(&p.data.native, rows, rates, losses)
}

func (p *program) Evaluate(rows []int32) (engine.Metrics, error) {
	if err := engine.CheckEvaluate(rows, p.data.source.Rows()); err != nil {
		return engine.Metrics{}, fmt.Errorf("onednn: %w", err)
	}
	var sums engine.Sums
	if err := p.infer.Forward(&p.data.native, rows, p.net.Loss == graph.CrossEntropy, p.net.Blend.SSIM > 0, nil, nil, (*[3]float64)(&sums)); err != nil {
		return engine.Metrics{}, err
	}
	return engine.Means(p.net, sums, len(rows)), nil
}

func (p *program) Infer(rows []int32, latent, output []float32) error {
	if err := engine.CheckInfer(p.net, p.data.source.Rows(), rows, latent, output); err != nil {
		return fmt.Errorf("onednn: %w", err)
	}
	return p.infer.Forward(&p.data.native, rows, p.net.Loss == graph.CrossEntropy, false, latent, output, nil)
}

func (p *program) Weights() (arch.Weights, error) {
	w := make(arch.Weights, len(p.net.Params))
	for _, q := range p.net.Params {
		w[q.Name] = append([]float32(nil), p.values(q)...)
	}
	return w, nil
}

func (p *program) SetWeights(w arch.Weights) error {
	if err := w.Check(p.net.Params); err != nil {
		return err
	}
	for _, q := range p.net.Params {
		copy(p.values(q), w[q.Name])
	}
	p.params.Reset()
	return nil
}

func (p *program) State() (engine.State, error) {
	w, err := p.Weights()
	s := engine.State{Steps: p.params.Steps(), Weights: w, Slots: [2]arch.Weights{{}, {}}, Averages: map[string][]float64{}}
	for _, q := range p.net.Params {
		at := p.layout.Offset[q.Name]
		if !q.Trained() {
			s.Averages[q.Name] = append([]float64(nil), p.params.Averages()[at-p.layout.Trained:][:q.Size()]...)
			continue
		}
		for i := range s.Slots {
			s.Slots[i][q.Name] = make([]float32, q.Size())
			if slot := p.params.Slot(i); len(slot) > 0 {
				copy(s.Slots[i][q.Name], slot[at:])
			}
		}
	}
	return s, err
}

func (p *program) SetState(s engine.State) error {
	if err := s.Check(p.net.Params); err != nil {
		return fmt.Errorf("onednn: %w", err)
	}
	if err := p.SetWeights(s.Weights); err != nil {
		return err
	}
	p.params.SetSteps(s.Steps)
	for _, q := range p.net.Params {
		at := p.layout.Offset[q.Name]
		if !q.Trained() {
			copy(p.params.Averages()[at-p.layout.Trained:], s.Averages[q.Name])
			continue
		}
		for i := range s.Slots {
			if slot := p.params.Slot(i); len(slot) > 0 {
				copy(slot[at:], s.Slots[i][q.Name])
			}
		}
	}
	return nil
}

// values is the place of a parameter in the net's flat array.
func (p *program) values(q arch.Param) []float32 {
	at := p.layout.Offset[q.Name]
	return p.params.Params()[at : at+q.Size()]
}

// Close gives the memory back to the engine; a second call does nothing.
func (p *program) Close() error {
	for _, half := range []*native.Plan{p.train, p.infer} {
		if half != nil {
			half.Free()
		}
	}
	if p.params != nil {
		p.params.Free()
	}
	if p.block.Size > 0 {
		p.engine.pool.give(p.block)
	}
	p.train, p.infer, p.params, p.block = nil, nil, nil, native.Block{}
	return nil
}

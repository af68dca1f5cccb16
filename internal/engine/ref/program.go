package ref

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

// program owns the parameters; both machines' inputs are bound to its slices.
type program struct {
	net    *graph.Net
	source engine.Source
	rule   arch.Optimizer

	train, infer *machine
	weights      arch.Weights // running averages as of the last refresh
	optimizers   map[string]*engine.Optimizer
	averages     map[string]*engine.Average
	steps        int
	trainInput   []float32
	trainLabels  []float32
	inferInput   []float32
}

func newProgram(net *graph.Net, s engine.Source, cfg engine.Config) (*program, error) {
	size := net.Batch * net.Input.Values()
	p := &program{
		net: net, source: s, rule: cfg.Optimizer, weights: arch.Weights{},
		trainInput: make([]float32, size), trainLabels: make([]float32, net.Batch), inferInput: make([]float32, size),
	}
	for _, q := range net.Params {
		p.weights[q.Name] = make([]float32, q.Size())
	}
	if err := p.compileTraining(); err != nil {
		return nil, err
	}
	if err := p.compileInference(); err != nil {
		return nil, err
	}
	return p, p.SetWeights(cfg.Weights)
}

func (p *program) compileTraining() error {
	t := p.net.Train
	inputs, outputs := []*gorgonia.Node{t.Input}, []*gorgonia.Node{t.Loss}
	if t.Target != t.Input {
		inputs = append(inputs, t.Target)
	}
	if t.Step != nil {
		inputs = append(inputs, t.Step)
	}
	for _, q := range p.net.Params {
		if q.Trained() {
			inputs, outputs = append(inputs, t.Params[q.Name]), append(outputs, t.Grads[q.Name])
		} else {
			outputs = append(outputs, t.Stats[q.Name])
		}
	}
	var err error
	if p.train, err = newMachine(t.Graph, inputs, outputs); err != nil {
		return err
	}
	if t.Target != t.Input {
		if err := p.train.bind(t.Target, p.trainLabels); err != nil {
			return err
		}
	}
	return bindAll(p.train, t.Input, p.trainInput, t.Params, p.weights)
}

func (p *program) compileInference() error {
	f := p.net.Infer
	inputs, outputs := []*gorgonia.Node{f.Input}, []*gorgonia.Node{f.Logits}
	if f.Latent != nil && f.Latent != f.Input {
		outputs = append(outputs, f.Latent)
	}
	for _, q := range p.net.Params {
		inputs = append(inputs, f.Params[q.Name])
	}
	var err error
	if p.infer, err = newMachine(f.Graph, inputs, outputs); err != nil {
		return err
	}
	return bindAll(p.infer, f.Input, p.inferInput, f.Params, p.weights)
}

func bindAll(m *machine, input *gorgonia.Node, x []float32, params map[string]*gorgonia.Node, w arch.Weights) error {
	for name, n := range params {
		if err := m.bind(n, w[name]); err != nil {
			return err
		}
	}
	return m.bind(input, x)
}

// SetWeights replaces every parameter and forgets the training so far.
func (p *program) SetWeights(w arch.Weights) error {
	if err := w.Check(p.net.Params); err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	p.steps = 0
	p.optimizers, p.averages = map[string]*engine.Optimizer{}, map[string]*engine.Average{}
	for _, q := range p.net.Params {
		copy(p.weights[q.Name], w[q.Name])
		if !q.Trained() {
			p.averages[q.Name] = engine.NewAverage(w[q.Name])
			continue
		}
		o, err := engine.NewOptimizer(p.rule, q.Size())
		if err != nil {
			return fmt.Errorf("ref: %w", err)
		}
		p.optimizers[q.Name] = o
	}
	return nil
}

// State copies out where the training stands.
func (p *program) State() (engine.State, error) {
	p.refresh()
	s := engine.State{
		Steps: uint64(p.steps), Weights: p.weights.Clone(),
		Slots: [2]arch.Weights{{}, {}}, Averages: map[string][]float64{},
	}
	for name, o := range p.optimizers {
		s.Slots[0][name], s.Slots[1][name] = o.Slots()
	}
	for name, a := range p.averages {
		s.Averages[name] = a.Sum()
	}
	return s, nil
}

// SetState goes on from s.
func (p *program) SetState(s engine.State) error {
	if err := s.Check(p.net.Params); err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	if err := p.SetWeights(s.Weights); err != nil {
		return err
	}
	p.steps = int(s.Steps)
	for name, o := range p.optimizers {
		o.Restore(s.Slots[0][name], s.Slots[1][name], p.steps)
	}
	for name, a := range p.averages {
		a.Restore(s.Averages[name], p.steps)
	}
	return nil
}

// Weights copies every parameter out.
func (p *program) Weights() (arch.Weights, error) {
	p.refresh()
	return p.weights.Clone(), nil
}

// refresh brings the running averages among the weights up to date.
func (p *program) refresh() {
	for name, a := range p.averages {
		a.Read(p.weights[name])
	}
}

// Close does nothing: a program is memory alone.
func (p *program) Close() error { return nil }

// Train runs the steps one after the other.
func (p *program) Train(rows []int32, rates, losses []float32) error {
	if err := engine.CheckTrain(p.net, p.source.Rows(), rows, rates, losses); err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	for i, rate := range rates {
		loss, err := p.step(rows[i*p.net.Batch:(i+1)*p.net.Batch], rate)
		if err != nil {
			return fmt.Errorf("ref: train: step %d: %w", i, err)
		}
		losses[i] = loss
	}
	return nil
}

func (p *program) step(rows []int32, rate float32) (float32, error) {
	t, size := p.net.Train, p.net.Input.Values()
	for i, r := range rows {
		p.source.Row(p.trainInput[i*size:], int(r))
		if t.Target != t.Input {
			p.trainLabels[i] = float32(p.source.Labels[r])
		}
	}
	if t.Step != nil {
		if err := p.train.set(t.Step, float32(p.steps)); err != nil {
			return 0, err
		}
	}
	if err := p.train.run(); err != nil {
		return 0, err
	}
	p.steps++
	for name, a := range p.averages {
		a.Add(p.train.read(t.Stats[name]))
	}
	for name, o := range p.optimizers {
		o.Step(p.weights[name], p.train.read(t.Grads[name]), rate)
	}
	return p.train.read(t.Loss)[0], nil
}

// batches runs inference over rows in the net's batches, the last one filled up
// with repetitions of its last row, and calls done with the logits and the
// latent of the rows from first on.
func (p *program) batches(rows []int32, done func(first int, rows []int32, logits, latent []float32)) error {
	p.refresh()
	f, size := p.net.Infer, p.net.Input.Values()
	for first := 0; first < len(rows); first += p.net.Batch {
		part := rows[first:min(first+p.net.Batch, len(rows))]
		for i := range p.net.Batch {
			p.source.Row(p.inferInput[i*size:], int(part[min(i, len(part)-1)]))
		}
		if err := p.infer.run(); err != nil {
			return err
		}
		var latent []float32
		if f.Latent != nil {
			latent = p.infer.read(f.Latent)[:len(part)*p.net.Latent.Values()]
		}
		done(first, part, p.infer.read(f.Logits)[:len(part)*p.net.Output.Values()], latent)
	}
	return nil
}

// Evaluate gives the means over rows.
func (p *program) Evaluate(rows []int32) (engine.Metrics, error) {
	if err := engine.CheckEvaluate(rows, p.source.Rows()); err != nil {
		return engine.Metrics{}, fmt.Errorf("ref: %w", err)
	}
	meter, size := engine.NewMeter(p.net), p.net.Output.Values()
	image := make([]float32, p.net.Input.Values())
	err := p.batches(rows, func(_ int, rows []int32, logits, _ []float32) {
		for i, r := range rows {
			if z := logits[i*size : (i+1)*size]; p.net.Loss == graph.CrossEntropy {
				meter.Class(z, int(p.source.Labels[r]))
			} else {
				p.source.Row(image, int(r))
				meter.Image(z, image)
			}
		}
	})
	if err != nil {
		return engine.Metrics{}, fmt.Errorf("ref: evaluate: %w", err)
	}
	return meter.Metrics(), nil
}

// Infer writes latents and outputs.
func (p *program) Infer(rows []int32, latent, output []float32) error {
	if err := engine.CheckInfer(p.net, p.source.Rows(), rows, latent, output); err != nil {
		return fmt.Errorf("ref: %w", err)
	}
	err := p.batches(rows, func(first int, _ []int32, z, code []float32) {
		if latent != nil {
			copy(latent[first*p.net.Latent.Values():], code)
		}
		if output == nil {
			return
		}
		dst := output[first*p.net.Output.Values():][:len(z)]
		copy(dst, z)
		if p.net.Loss != graph.CrossEntropy {
			engine.Sigmoid(dst)
		}
	})
	if err != nil {
		return fmt.Errorf("ref: infer: %w", err)
	}
	return nil
}

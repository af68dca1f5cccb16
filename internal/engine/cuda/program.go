//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/driver"
	"moncae/internal/engine/cuda/plan"
	"moncae/internal/graph"
)

// program is a network on a device.
type program struct {
	device    *device
	data      *sources
	plan      *plan.Plan
	optimizer arch.Optimizer
	regions   regions
	reserved  int64

	// What a new context needs to get where the old one was.
	start   state
	history history

	generation int // of the context that on lives in; −1 before the first
	on         *resident

	// What a call of Train works on, and the functions that are made once so that
	// a call makes none.
	rows          []int32
	rates, losses []float32
	train         func() error
	work          func() error // of the call under way
	resume        func() error // resumed, bound to the program
}

func compile(d *device, net *graph.Net, data *sources, cfg engine.Config) (engine.Program, error) {
	if err := engine.CheckCompile(net, data.source, cfg, precisions); err != nil {
		return nil, err
	}
	options := plan.Options{
		Optimizer: cfg.Optimizer, Floats: len(data.source.Features) > 0,
		TF32: cfg.Precision == engine.TF32, Half: cfg.Precision == engine.BFloat16,
	}
	p, err := build(d, d.library, net, data, cfg, options)
	if byLibrary(err) { // no network's fault: own kernels take any
		d.ownConvolutions(err)
		p, err = build(d, nil, net, data, cfg, options)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func build(d *device, library *cudnn.Library, net *graph.Net, data *sources, cfg engine.Config, options plan.Options) (*program, error) {
	p := &program{device: d, data: data, optimizer: cfg.Optimizer, generation: -1}
	p.train = func() error { return p.on.train(p.rows, p.rates, p.losses) }
	p.resume = p.resumed
	if err := p.lower(library, net, options); err != nil {
		return nil, err
	}
	p.start = state{params: p.plan.Layout.Pack(cfg.Weights)}
	p.regions = newRegions(p.plan, options.Half)
	var until time.Time
	for {
		if err := d.memory.reserve(p.regions.bytes); err != nil {
			return nil, err
		}
		p.reserved = p.regions.bytes
		err := p.call(func() error { return nil })
		if err == nil {
			return p, nil
		}
		refused := errors.Is(err, engine.ErrMemory)
		others := refused && d.memory.shrink(p.reserved)
		d.memory.release(p.reserved)
		if !others && !(refused && d.elsewhere(&until)) {
			return nil, err
		}
	}
}

// elsewhere waits a moment for memory that another process holds, which must not cost a
// candidate; false where it has waited for long enough.
func (d *device) elsewhere(until *time.Time) bool {
	if until.IsZero() {
		slog.Warn("another process has the device's memory; waiting for it", "device", d.info.Name, "at most", patience)
		*until = time.Now().Add(patience)
	}
	time.Sleep(moment)
	return time.Now().Before(*until)
}

// lower makes the plan; the context must be current for what cuDNN chooses. A
// fault that others brought about there is found and mended by the first call.
func (p *program) lower(library *cudnn.Library, net *graph.Net, options plan.Options) error {
	choose := &chooser{device: p.device}
	if library != nil {
		options.CuDNN = choose
	}
	return p.call(func() (err error) {
		choose.err = nil
		if p.plan, err = plan.New(net, options); err == nil {
			err = choose.err
		}
		return err
	})
}

// call runs work with the program on its device. If the context is lost, it is
// replaced, and the program repeats its way so far and then work, with nothing
// beside it; what fails then is this program's own fault.
func (p *program) call(work func() error) error {
	d := p.device
	defer d.memory.worked()
	d.calls.RLock()
	if d.broken != nil {
		defer d.calls.RUnlock()
		return d.broken
	}
	generation := d.generation
	p.work = work
	err := d.do(p.resume)
	lost := err != nil && d.lost(err)
	d.calls.RUnlock()
	if !lost {
		return own(err)
	}
	slog.Warn("the device reports a fault; its programs begin anew", "device", d.info.Name, "error", err)
	return d.alone(generation, p.resume)
}

// alone does what a lost context, of a generation, has kept from its end: with nothing beside
// it, in a context that works, for others may have lost the next one meanwhile.
func (d *device) alone(generation int, work func() error) error {
	d.calls.Lock()
	defer d.calls.Unlock()
	if d.generation == generation || d.broken == nil && driver.IsLost(d.do(d.wait)) {
		d.replace()
	}
	if d.broken != nil {
		return d.broken
	}
	err := d.do(work)
	if err == nil || !d.lost(err) {
		return own(err)
	}
	if d.replace(); d.broken != nil {
		return d.broken
	}
	return fmt.Errorf("%w: a fault, twice at the same place: %w", engine.ErrFault, err)
}

// own says of an error that leaves the context usable what it means for the
// search: this program's failure.
func own(err error) error {
	switch {
	case err == nil || errors.Is(err, engine.ErrMemory) || errors.Is(err, engine.ErrLost):
		return err
	case driver.IsMemory(err) || cudnn.IsMemory(err):
		return fmt.Errorf("%w: %w", engine.ErrMemory, err)
	}
	return fmt.Errorf("%w: %w", engine.ErrFault, err)
}

// resumed brings the program onto the current context if it isn't there, with
// all steps that it has made, and does the work.
func (p *program) resumed() error {
	if p.start.params != nil && p.generation != p.device.generation {
		if err := p.becomeResident(); err != nil {
			if p.generation >= 0 && byLibrary(err) { // the plan can't be another any more
				err = fmt.Errorf("%w: cuDNN does not recover from a fault: %w", engine.ErrLost, err)
			}
			return err
		}
		p.generation = p.device.generation
	}
	return p.work()
}

func (p *program) becomeResident() error {
	if err := p.data.place(); err != nil {
		return err
	}
	on, err := newResident(p)
	if err != nil {
		return err
	}
	if err = on.reset(p.start, p.optimizer); err == nil {
		err = p.history.replay(on)
	}
	if err != nil {
		return on.abandon(err)
	}
	p.on = on
	return nil
}

func (p *program) Train(rows []int32, rates []float32, losses []float32) error {
	if err := engine.CheckTrain(p.plan.Net, p.data.source.Rows(), rows, rates, losses); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	p.rows, p.rates, p.losses = rows, rates, losses
	if err := p.call(p.train); err != nil {
		return fmt.Errorf("cuda: training: %w", err)
	}
	p.history.add(rows, rates)
	return nil
}

func (p *program) Evaluate(rows []int32) (engine.Metrics, error) {
	if err := engine.CheckEvaluate(rows, p.data.source.Rows()); err != nil {
		return engine.Metrics{}, fmt.Errorf("cuda: %w", err)
	}
	var sums engine.Sums
	err := p.call(func() (err error) {
		sums, err = p.on.evaluate(rows)
		return err
	})
	if err != nil {
		return engine.Metrics{}, fmt.Errorf("cuda: evaluating: %w", err)
	}
	return engine.Means(p.plan.Net, sums, len(rows)), nil
}

func (p *program) Infer(rows []int32, latent, output []float32) error {
	if err := engine.CheckInfer(p.plan.Net, p.data.source.Rows(), rows, latent, output); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	if err := p.call(func() error { return p.on.infer(rows, latent, output) }); err != nil {
		return fmt.Errorf("cuda: inference: %w", err)
	}
	return nil
}

func (p *program) Weights() (arch.Weights, error) {
	flat := make([]float32, p.plan.Layout.Total)
	if err := p.call(func() error { return p.on.download(flat) }); err != nil {
		return nil, fmt.Errorf("cuda: reading weights: %w", err)
	}
	return p.plan.Layout.Unpack(flat), nil
}

func (p *program) SetWeights(w arch.Weights) error {
	if err := w.Check(p.plan.Net.Params); err != nil {
		return fmt.Errorf("cuda: %w", err)
	}
	return p.begin(state{params: p.plan.Layout.Pack(w)})
}

func (p *program) Close() error {
	d := p.device
	if p.reserved == 0 {
		return nil
	}
	d.calls.RLock()
	defer d.calls.RUnlock()
	var err error
	if p.generation == d.generation {
		err = d.do(p.on.close)
	}
	if driver.IsLost(err) {
		err = nil // it all goes with the context
	}
	d.memory.release(p.reserved)
	p.reserved = 0
	return err
}

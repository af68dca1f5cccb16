//go:build onednn && cgo

package onednn

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/onednn/native"
	"moncae/internal/engine/onednn/plan"
	"moncae/internal/graph"
)

// New opens the engine.
func New() (engine.Engine, error) { return &cpu{}, nil }

type cpu struct{ pool blocks }

// precisions are those that the processor computes in at full speed: without
// instructions for bfloat16, oneDNN's are slower than float32's.
func precisions() []engine.Precision {
	if native.BF16() {
		return []engine.Precision{engine.Float32, engine.BFloat16}
	}
	return []engine.Precision{engine.Float32}
}

func (e *cpu) Info() engine.Info {
	return engine.Info{
		Name:    "onednn",
		Version: native.Version(),
		Device:  fmt.Sprintf("%s (%s)", processor(), native.ISA()),
		Workers: runtime.NumCPU(),
		Model:   processor(),
		ISA:     native.ISA(),

		Precisions: precisions(),
	}
}

// Load checks the data; they stay where they are.
func (e *cpu) Load(s engine.Source) (engine.Data, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	return &data{source: s, native: native.Data{Images: s.Images, Features: s.Features, Labels: s.Labels}}, nil
}

// Close frees the memory that closed programs have left.
func (e *cpu) Close() error {
	e.pool.drain()
	return nil
}

type data struct {
	source engine.Source
	native native.Data
}

func (d *data) Source() engine.Source { return d.source }
func (d *data) Close() error          { return nil }

var optimizers = map[arch.Optimizer]int{arch.Adam: 0, arch.RMSprop: 1, arch.Adagrad: 2, arch.Adadelta: 3, arch.SGD: 4}

func (e *cpu) Compile(net *graph.Net, d engine.Data, cfg engine.Config) (engine.Program, error) {
	p, err := e.compile(net, d, cfg)
	if errors.Is(err, native.ErrMemory) {
		err = fmt.Errorf("%w: this network at batch %d", engine.ErrMemory, net.Batch)
	}
	if err != nil {
		return nil, fmt.Errorf("onednn: %w", err)
	}
	return p, nil
}

func (e *cpu) compile(net *graph.Net, d engine.Data, cfg engine.Config) (*program, error) {
	rows, ok := d.(*data)
	if !ok {
		return nil, errors.New("compile: the data were loaded by another engine")
	}
	if err := engine.CheckCompile(net, rows.source, cfg, precisions()); err != nil {
		return nil, err
	}
	p := &program{engine: e, net: net, data: rows, layout: plan.NewLayout(net.Params), bf16: cfg.Precision == engine.BFloat16}
	if err := p.build(optimizers[cfg.Optimizer], plan.Options{Images: rows.source.Images != nil, BF16: p.bf16}); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := p.SetWeights(cfg.Weights); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// blocks keeps blocks of closed programs for later ones.
type blocks struct {
	mutex sync.Mutex
	free  []native.Block
}

// take gives the smallest block of at least size bytes, new if none is within
// twice of that.
func (p *blocks) take(size int) (native.Block, error) {
	p.mutex.Lock()
	best := -1
	for i, b := range p.free {
		if b.Size >= size && b.Size <= 2*size && (best < 0 || b.Size < p.free[best].Size) {
			best = i
		}
	}
	if best >= 0 {
		b := p.free[best]
		p.free = append(p.free[:best], p.free[best+1:]...)
		p.mutex.Unlock()
		return b, nil
	}
	p.mutex.Unlock()
	b, err := native.NewBlock(size)
	if err != nil {
		p.drain()
		b, err = native.NewBlock(size)
	}
	return b, err
}

// give keeps a block; the oldest leave when there are more than processors.
func (p *blocks) give(b native.Block) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.free = append(p.free, b)
	for len(p.free) > runtime.NumCPU() {
		oldest := p.free[0]
		p.free = p.free[1:]
		oldest.Free()
	}
}

func (p *blocks) drain() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, b := range p.free {
		b.Free()
	}
	p.free = nil
}

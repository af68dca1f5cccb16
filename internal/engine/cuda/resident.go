//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"log/slog"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/arch"
	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/driver"
	"moncae/internal/engine/cuda/plan"
)

// resident is a program's part on the device: its stream, memory and graphs. All
// methods want the context to be current.
type resident struct {
	program  *program
	block    memoryBlock
	stream   cu.Stream
	handle   *cudnn.Handle // nil where no step needs cuDNN
	training *driver.Graph
	measure  *driver.Graph
	inferral *driver.Graph
	stages   [2]stage
	scratch  []int32 // row numbers of a padded batch
	measured []float64
}

// newResident allocates the program's memory and records its graphs.
func newResident(p *program) (*resident, error) {
	r := &resident{program: p}
	if err := r.make(); err != nil {
		return nil, r.abandon(err)
	}
	return r, nil
}

// abandon gives back what r has after err, unless that went with the context.
func (r *resident) abandon(err error) error {
	if driver.IsLost(err) || driver.IsLost(r.program.device.wait()) {
		return err
	}
	if closed := r.close(); closed != nil {
		return fmt.Errorf("%w (then, cleaning up: %w)", err, closed)
	}
	return err
}

func (r *resident) make() (err error) {
	p := r.program
	if r.block, err = p.device.memory.take(p.regions.bytes); err != nil {
		return err
	}
	if r.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return fmt.Errorf("making a stream: %w", err)
	}
	batch := p.plan.Net.Batch
	r.scratch, r.measured = make([]int32, chunk*batch), make([]float64, chunk*batch*plan.MeasuresARow)
	for i := range r.stages {
		if r.stages[i], err = p.device.newStage(batch); err != nil {
			return err
		}
	}
	if p.plan.Library {
		if err := r.openLibrary(); err != nil {
			return err
		}
	}
	if err := r.uploadSums(); err != nil {
		return err
	}
	if p.plan.Library {
		if err := r.warmUp(); err != nil {
			return err
		}
	}
	for _, g := range []struct {
		graph **driver.Graph
		steps []plan.Step
	}{{&r.training, p.plan.Train}, {&r.measure, p.plan.Evaluate}, {&r.inferral, p.plan.Infer}} {
		if *g.graph, err = r.record(g.steps); err != nil {
			return err
		}
	}
	return nil
}

// openLibrary makes cuDNN ready, and zeros for its first run.
func (r *resident) openLibrary() (err error) {
	p := r.program
	if r.handle, err = p.device.takeHandle(); err != nil {
		return err
	}
	if err := r.handle.SetStream(unsafe.Pointer(r.stream.C())); err != nil {
		return err
	}
	return cu.MemsetD8Async(r.block.at, 0, p.regions.bytes, r.stream)
}

// uploadSums says where the sums that end a step are, which stays so.
func (r *resident) uploadSums() error {
	table := plan.Table(r.program.plan.Sums(), func(ref plan.Ref) uint64 { return uint64(r.address(ref)) })
	return upload(r, plan.Sums, table)
}

// warmUp runs all steps once: cuDNN loads code on first use, which a capture doesn't
// allow.
func (r *resident) warmUp() error {
	p := r.program
	for _, steps := range [][]plan.Step{p.plan.Train, p.plan.Evaluate, p.plan.Infer} {
		if err := r.rewind(); err != nil { // each is the first run of a call
			return err
		}
		if err := r.enqueue(steps); err != nil {
			return err
		}
	}
	return r.stream.Synchronize()
}

func (r *resident) record(steps []plan.Step) (*driver.Graph, error) {
	quiet := &r.program.device.quiet
	quiet.Lock()
	defer quiet.Unlock()
	return driver.Capture(r.stream, func() error { return r.enqueue(steps) })
}

func (r *resident) enqueue(steps []plan.Step) error {
	for _, s := range steps {
		var err error
		switch s := s.(type) {
		case plan.Launch:
			err = r.launch(s)
		case plan.Conv:
			err = r.convolve(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// convolve has cuDNN compute c by the plan that was chosen when the program was
// lowered. The handle keeps it as long as a recorded graph may refer to it.
func (r *resident) convolve(c plan.Conv) error {
	chosen, err := r.handle.Plan(c.Problem)
	if err != nil {
		return err
	}
	if err := r.program.device.settle(c.Problem, choice{chosen.Choice, true}); err != nil {
		return err
	}
	return r.by(chosen, c)
}

// by has cuDNN compute c by a plan.
func (r *resident) by(chosen *cudnn.Plan, c plan.Conv) error {
	at := func(ref plan.Ref) uintptr { return uintptr(r.address(ref)) }
	if err := r.handle.Run(chosen, at(c.Input), at(c.Weight), at(c.Output), at(c.Workspace)); err != nil {
		return fmt.Errorf("%v: %w", c.Problem, err)
	}
	return nil
}

// address is the device address of a place in a plan.
func (r *resident) address(ref plan.Ref) cu.DevicePtr {
	p := r.program
	switch ref.In {
	case plan.Null:
		return 0
	case plan.Source:
		return p.data.values.at
	case plan.Labels:
		return p.data.labels.at
	case plan.Base:
		return r.block.at
	}
	return r.block.at + cu.DevicePtr(p.regions.offset[ref.In]+p.plan.Offset(ref))
}

func (r *resident) region(of plan.Region) cu.DevicePtr { return r.address(plan.Ref{In: of}) }

// launch puts a kernel on the stream. The driver's wrapper reads 8 bytes for
// every parameter.
func (r *resident) launch(l plan.Launch) error {
	f, ok := r.program.device.functions[l.Kernel]
	if !ok {
		panic("cuda: no kernel " + l.Kernel)
	}
	values, pointers := make([]uint64, len(l.Args)), make([]unsafe.Pointer, len(l.Args))
	for i, a := range l.Args {
		values[i], pointers[i] = r.bits(a), unsafe.Pointer(&values[i])
	}
	g := l.Grid
	if err := f.Launch(g[0], g[1], g[2], l.Block, 1, 1, 0, r.stream, pointers); err != nil {
		return fmt.Errorf("kernel %s, %v blocks of %d threads: %w", l.Kernel, g, l.Block, err)
	}
	return nil
}

// reset brings a training to its start.
func (r *resident) reset(start state, o arch.Optimizer) error {
	if err := upload(r, plan.Params, start.params); err != nil {
		return err
	}
	first := uint(0)
	if o == arch.Adagrad {
		first = adagradStart
	}
	if err := cu.MemsetD32Async(r.region(plan.SlotA), first, r.program.regions.size[plan.SlotA]/4, r.stream); err != nil {
		return err
	}
	for _, region := range []plan.Region{plan.Grads, plan.SlotB, plan.Running, plan.Steps} {
		if bytes := r.program.regions.size[region]; bytes > 0 {
			if err := cu.MemsetD8Async(r.region(region), 0, bytes, r.stream); err != nil {
				return err
			}
		}
	}
	if start.steps != nil {
		if err := r.uploadState(start); err != nil {
			return err
		}
	}
	if err := r.enqueue(r.program.plan.Start); err != nil {
		return err
	}
	return r.stream.Synchronize()
}

// giveBack leaves the handle to the next program, which has another stream. One
// that fails at that is of no use, and no reason to end.
func (r *resident) giveBack() {
	err := errors.Join(r.handle.SetStream(nil), r.handle.Trim())
	if err == nil {
		r.program.device.putHandle(r.handle)
		return
	}
	slog.Warn("a handle of cuDNN is given up", "reason", errors.Join(err, r.handle.Close()))
}

func (r *resident) download(params []float32) error { return download(r, plan.Params, 0, params) }

func upload[T any](r *resident, to plan.Region, values []T) error {
	if len(values) == 0 {
		return nil
	}
	bytes := int64(len(values)) * int64(unsafe.Sizeof(values[0]))
	return cu.MemcpyHtoDAsync(r.region(to), unsafe.Pointer(&values[0]), bytes, r.stream)
}

// download reads values from index at of a region on, and waits for them.
func download[T any](r *resident, from plan.Region, at int, values []T) error {
	size := int64(unsafe.Sizeof(values[0]))
	if err := cu.MemcpyDtoHAsync(unsafe.Pointer(&values[0]), r.region(from)+cu.DevicePtr(int64(at)*size), int64(len(values))*size, r.stream); err != nil {
		return err
	}
	return r.stream.Synchronize()
}

func (r *resident) close() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if r.stream != (cu.Stream{}) { // what is given back must not be in use
		keep(r.stream.Synchronize())
	}
	for _, g := range []*driver.Graph{r.training, r.measure, r.inferral} {
		keep(g.Close())
	}
	for i := range r.stages {
		keep(r.stages[i].close(r.program.device))
	}
	if r.handle != nil {
		r.giveBack()
	}
	if r.stream != (cu.Stream{}) {
		keep(r.stream.Destroy())
	}
	if r.block.bytes > 0 {
		r.program.device.memory.put(r.block)
	}
	return first
}

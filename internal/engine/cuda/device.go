//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"sync"

	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/driver"
	"moncae/internal/engine/cuda/kernels"
	"moncae/internal/engine/cuda/plan"
)

// device is an open GPU. Its context is made anew after a fault; generation
// counts how often, and everything that lived in an older one is gone.
type device struct {
	info    driver.Device
	library *cudnn.Library // nil without
	without string         // a word on why
	memory  *budget

	// calls is held for reading while a program uses the context, and for writing
	// while the context is replaced, or while a program is tried alone.
	calls      sync.RWMutex
	generation int
	broken     error // why no context works any more
	context    cu.CUContext
	functions  map[string]cu.Function

	// quiet is held while a graph is recorded and while the whole context is waited
	// for: the driver allows one or the other.
	quiet sync.Mutex

	choosing sync.Mutex
	handles  []*cudnn.Handle // of closed programs: making one takes long
	pinned   []driver.Pinned // of closed programs, too
	choices  map[plan.Problem]choice
	reasons  []string // why networks did without the library
}

// choice is how cuDNN computes a convolution; not ok where our own kernels do.
type choice struct {
	cudnn.Choice
	ok bool
}

func openDevice(info driver.Device, library *cudnn.Library) (*device, error) {
	d := &device{info: info, library: library, choices: map[plan.Problem]choice{}}
	if err := d.start(); err != nil {
		return nil, err
	}
	// Of the whole memory, not of what is free now: what a network gets must not depend on
	// what other processes have at the moment.
	var total int64
	err := d.do(func() (err error) {
		_, total, err = cu.MemInfo()
		return err
	})
	d.memory = newBudget(total / 10 * 9)
	return d, err
}

// start retains the context and loads the kernels. Threads that wait for the
// device sleep: the processors are for other work.
func (d *device) start() (err error) {
	if err := d.info.ID().SetPrimaryCtxFlags(cu.SchedBlockingSync); err != nil {
		return fmt.Errorf("choosing how to wait for the device: %w", err)
	}
	if d.context, err = d.info.ID().RetainPrimaryCtx(); err != nil {
		return fmt.Errorf("making a context: %w", err)
	}
	return d.do(d.loadKernels)
}

var entries = regexp.MustCompile(`\.visible \.entry (\w+)\(`)

func (d *device) loadKernels() error {
	d.functions = map[string]cu.Function{}
	for name, code := range kernels.PTX() {
		module, err := cu.LoadData(code)
		if err != nil {
			return fmt.Errorf("loading the kernels of %s.cu: %w%s", name, err, driver.CompilerSays(code))
		}
		for _, entry := range entries.FindAllStringSubmatch(code, -1) {
			if d.functions[entry[1]], err = module.Function(entry[1]); err != nil {
				return fmt.Errorf("kernel %s: %w", entry[1], err)
			}
		}
	}
	return nil
}

// do runs f on an OS thread with the device's context.
func (d *device) do(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.context); err != nil {
		return fmt.Errorf("making the context current: %w", err)
	}
	return f()
}

// wait waits for everything on the device. It needs the context to be current.
func (d *device) wait() error {
	d.quiet.Lock()
	defer d.quiet.Unlock()
	return cu.Synchronize()
}

// lost tells whether err, or what led to it, has made the context unusable.
func (d *device) lost(err error) bool {
	return driver.IsLost(err) || driver.IsLost(d.do(d.wait))
}

// replace makes a new context, or says in broken why there is none. It needs calls for
// writing.
func (d *device) replace() {
	d.generation++
	d.memory.forget()
	d.handles, d.pinned = nil, nil // they went with the context
	d.broken = d.renew()
}

// renew makes a context that is seen to work: after some faults a process gets
// none any more.
func (d *device) renew() error {
	if err := d.info.ID().ResetPrimaryCtx(); err != nil {
		return lostDevice(fmt.Errorf("resetting the device: %w", err))
	}
	if err := d.start(); err != nil {
		return lostDevice(err)
	}
	if err := d.do(d.wait); err != nil {
		return lostDevice(err)
	}
	return nil
}

func lostDevice(err error) error {
	return fmt.Errorf("%w: it does not recover from a fault: %w", engine.ErrLost, err)
}

func (d *device) close() error {
	err := d.do(func() error {
		var errs []error // what cuDNN fails at doesn't keep memory from going
		for _, h := range d.handles {
			errs = append(errs, h.Close())
		}
		for _, p := range d.pinned {
			errs = append(errs, p.Free())
		}
		return errors.Join(append(errs, d.memory.trim())...)
	})
	if driver.IsLost(err) {
		err = nil // it all goes with the context
	}
	if released := d.info.ID().ReleasePrimaryCtx(); err == nil {
		err = released
	}
	return err
}

// chooser chooses for one plan; err is why it could not.
type chooser struct {
	device *device
	err    error
}

// Choose asks cuDNN for a plan, once for every problem. It needs the context to be
// current.
func (c *chooser) Choose(p plan.Problem) (workspace int64, ok bool) {
	d := c.device
	d.choosing.Lock()
	made, known := d.choices[p]
	d.choosing.Unlock()
	if !known {
		var err error
		if made, err = d.ask(p); err != nil {
			c.err = err
			return 0, false
		}
	}
	return made.Workspace, made.ok
}

// ask gives up on a shape that cuDNN refuses: our own kernels take any.
func (d *device) ask(p plan.Problem) (made choice, err error) {
	h, err := d.takeHandle()
	if err != nil {
		return made, err
	}
	defer d.putHandle(h)
	chosen, err := h.Plan(p)
	switch {
	case err == nil:
		return choice{chosen.Choice, true}, d.settle(p, choice{chosen.Choice, true})
	case noPlan(err):
		return choice{}, d.settle(p, choice{})
	}
	return made, err
}

// errFickle says that cuDNN proposes something else than before.
var errFickle = errors.New("cuDNN computes a convolution in another way than before")

// byLibrary tells whether an error that left the context usable is cuDNN's doing.
func byLibrary(err error) bool { return cudnn.Unusable(err) || errors.Is(err, errFickle) }

// settle has a choice be the device's, for results must not depend on when, or by
// which handle, it was made.
func (d *device) settle(p plan.Problem, made choice) error {
	d.choosing.Lock()
	defer d.choosing.Unlock()
	if was, known := d.choices[p]; known && was != made {
		return fmt.Errorf("%w: %v: it was %+v, and is %+v", errFickle, p, was, made)
	}
	d.choices[p] = made
	return nil
}

func (d *device) takeHandle() (*cudnn.Handle, error) {
	d.choosing.Lock()
	if n := len(d.handles); n > 0 {
		h := d.handles[n-1]
		d.handles = d.handles[:n-1]
		d.choosing.Unlock()
		return h, nil
	}
	d.choosing.Unlock()
	h, err := d.library.NewHandle()
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (d *device) putHandle(h *cudnn.Handle) {
	d.choosing.Lock()
	defer d.choosing.Unlock()
	d.handles = append(d.handles, h)
}

//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"sync"

	"moncae/internal/engine"
	"moncae/internal/graph"
)

// engines is one engine over several devices of one model. Data go to all of
// them, a program to the one with the fewest.
type engines struct {
	list []*single

	mu      sync.Mutex
	placing []int // programs that are being compiled, by device
}

func (e *engines) Info() engine.Info {
	info := e.list[0].Info()
	info.Device = fmt.Sprintf("%d × %s", len(e.list), info.Device)
	info.Workers *= len(e.list)
	return info
}

type copies struct{ list []engine.Data }

func (c *copies) Source() engine.Source { return c.list[0].Source() }

func (c *copies) Close() error {
	var errs []error
	for _, d := range c.list {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

func (e *engines) Load(s engine.Source) (engine.Data, error) {
	c := &copies{}
	for _, one := range e.list {
		d, err := one.Load(s)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.list = append(c.list, d)
	}
	return c, nil
}

func (e *engines) Compile(net *graph.Net, data engine.Data, cfg engine.Config) (engine.Program, error) {
	c, ok := data.(*copies)
	if !ok || len(c.list) != len(e.list) {
		return nil, fmt.Errorf("cuda: the data were loaded by another engine")
	}
	best := e.place()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.placing[best]--
	}()
	return e.list[best].Compile(net, c.list[best], cfg)
}

// place picks the device with the fewest programs, those that are on their way
// there too: candidates come many at a time.
func (e *engines) place() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.placing == nil {
		e.placing = make([]int, len(e.list))
	}
	best, load := 0, 0.0
	for i, one := range e.list {
		if l := one.device.memory.load() + float64(e.placing[i]); i == 0 || l < load {
			best, load = i, l
		}
	}
	e.placing[best]++
	return best
}

func (e *engines) Close() error {
	var errs []error
	for _, one := range e.list {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

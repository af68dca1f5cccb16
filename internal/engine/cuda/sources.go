//go:build nvidia && linux && amd64

package cuda

import (
	"fmt"
	"sync"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/driver"
)

// sources is a Source on the device. After a change of context it is copied
// anew when a program asks for it.
type sources struct {
	device *device
	source engine.Source

	mu         sync.Mutex
	generation int
	closed     bool
	values     memoryBlock
	labels     memoryBlock
}

func (d *device) load(s engine.Source) (engine.Data, error) {
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	data := &sources{device: d, source: s, generation: -1}
	if err := d.bring(data); err != nil {
		return nil, fmt.Errorf("cuda: bringing the data to the device: %w", err)
	}
	d.memory.lend(data.bytes())
	return data, nil
}

func (d *device) bring(data *sources) error {
	d.calls.RLock()
	generation, broken := d.generation, d.broken
	var err error
	if broken == nil {
		err = d.do(data.place)
	}
	lost := err != nil && d.lost(err)
	d.calls.RUnlock()
	if broken != nil {
		return broken
	}
	if !lost {
		return err
	}
	return d.alone(generation, data.place)
}

// place copies the data to the device if this context hasn't them yet.
func (s *sources) place() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.generation == s.device.generation {
		return nil
	}
	var err error
	if len(s.source.Features) > 0 {
		s.values, err = copyIn(s.device.memory, s.source.Features)
	} else {
		s.values, err = copyIn(s.device.memory, s.source.Images)
	}
	if err == nil {
		s.labels, err = copyIn(s.device.memory, s.source.Labels)
	}
	if err != nil {
		return err
	}
	s.generation = s.device.generation
	return s.device.wait() // streams of programs don't wait for the copy
}

func copyIn[T any](memory *budget, values []T) (memoryBlock, error) {
	if len(values) == 0 {
		return memoryBlock{}, nil
	}
	bytes := int64(len(values)) * int64(unsafe.Sizeof(values[0]))
	block, err := memory.take(bytes)
	if err != nil {
		return block, err
	}
	return block, cu.MemcpyHtoD(block.at, unsafe.Pointer(&values[0]), bytes)
}

func (s *sources) bytes() int64 { return s.values.bytes + s.labels.bytes }

func (s *sources) Source() engine.Source { return s.source }

func (s *sources) Close() error {
	s.device.calls.RLock()
	defer s.device.calls.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.device.memory.lend(-s.bytes())
	if s.generation != s.device.generation {
		return nil // it went with its context
	}
	err := s.device.do(func() error {
		for _, m := range []memoryBlock{s.values, s.labels} {
			if m.bytes == 0 {
				continue
			}
			if err := cu.MemFree(m.at); err != nil {
				return fmt.Errorf("cuda: freeing the data: %w", err)
			}
		}
		return nil
	})
	if driver.IsLost(err) {
		return nil // they go with the context
	}
	return err
}

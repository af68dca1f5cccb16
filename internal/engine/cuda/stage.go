//go:build nvidia && linux && amd64

package cuda

import (
	"math/bits"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/engine/cuda/driver"
)

// stage is pinned memory for the rows and rates of a chunk on their way to the
// device and for its losses on their way back.
type stage struct {
	memory        driver.Pinned
	rows          []int32
	rates, losses []float32
	arrived       cu.Event // when the losses are there
}

func (d *device) newStage(batch int) (s stage, err error) {
	values := chunk * (batch + 2)
	if s.memory, err = d.takePinned(4 * values); err != nil {
		return s, err
	}
	at := unsafe.Pointer(&s.memory[0])
	s.rows = unsafe.Slice((*int32)(at), chunk*batch)
	floats := unsafe.Slice((*float32)(at), values)
	s.rates, s.losses = floats[chunk*batch:][:chunk], floats[chunk*(batch+1):][:chunk]
	s.arrived, err = cu.MakeEvent(cu.DisableTiming | cu.BlockingSyncEvent)
	return s, err
}

// close wants the stream to be idle.
func (s *stage) close(d *device) error {
	if s.memory == nil {
		return nil
	}
	d.choosing.Lock()
	d.pinned = append(d.pinned, s.memory)
	d.choosing.Unlock()
	if s.arrived == (cu.Event{}) {
		return nil
	}
	return cu.DestroyEvent(&s.arrived)
}

// takePinned gives pinned memory of n bytes or more, that of a closed program
// where it fits: allocating it stops every stream of the device.
func (d *device) takePinned(n int) (driver.Pinned, error) {
	size := 1 << bits.Len(uint(n-1))
	d.choosing.Lock()
	for i, p := range d.pinned {
		if len(p) == size {
			d.pinned = append(d.pinned[:i], d.pinned[i+1:]...)
			d.choosing.Unlock()
			return p, nil
		}
	}
	d.choosing.Unlock()
	return driver.Pin(size)
}

//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"moncae/internal/engine/cuda/driver"
)

// Fault has the device fault, as a kernel that writes to a wild address would:
// for tests of what comes after it. All programs of the device meet it.
func (e *single) Fault() error { return e.device.fault() }

// Fault has the first device fault.
func (e *engines) Fault() error { return e.list[0].Fault() }

func (d *device) fault() error {
	d.calls.RLock()
	defer d.calls.RUnlock()
	err := d.do(func() error {
		wild := uint64(1 << 12)
		arguments := []unsafe.Pointer{unsafe.Pointer(&wild)}
		err := d.functions["count_run"].Launch(1, 1, 1, 32, 1, 1, 0, cu.Stream{}, arguments)
		return errors.Join(err, d.wait())
	})
	switch {
	case err == nil:
		return errors.New("a write to a wild address goes well, and should be a fault")
	case !driver.IsLost(err):
		return fmt.Errorf("a write to a wild address should be a fault, and ends with %w", err)
	}
	return nil
}

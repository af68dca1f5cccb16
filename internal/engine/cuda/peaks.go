//go:build nvidia && linux && amd64

package cuda

import (
	"gorgonia.org/cu"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/driver"
	"moncae/internal/engine/cuda/plan"
)

// enoughTime is how long one copy or product must take, in microseconds, for its start not
// to show.
const enoughTime = 500

// Peaks measures the device: larger and larger copies and products until one takes long
// enough, the product by cuDNN and by the own kernel.
func (e *single) Peaks(p engine.Precision) (peaks engine.Peaks, err error) {
	d := e.device
	d.calls.RLock()
	defer d.calls.RUnlock()
	err = d.do(func() error {
		if peaks.Bytes, err = d.copies(); err != nil {
			return err
		}
		peaks.MACs, err = d.products(p)
		return err
	})
	peaks.Devices = 1
	return peaks, err
}

// Peaks measures the first device.
func (e *engines) Peaks(p engine.Precision) (engine.Peaks, error) {
	peaks, err := e.list[0].Peaks(p)
	peaks.Devices = len(e.list)
	return peaks, err
}

// copies is the rate of a copy, in bytes a second, those read and those written.
func (d *device) copies() (rate float64, err error) {
	for size := int64(1 << 20); size <= 1<<30; size *= 4 {
		took, err := d.timed(2*size, nil, func(r *resident) error {
			return cu.MemcpyDtoDAsync(r.block.at+cu.DevicePtr(size), r.block.at, size, r.stream)
		})
		if driver.IsMemory(err) && rate > 0 {
			return rate, nil
		}
		if err != nil {
			return 0, err
		}
		if rate = 2 * float64(size) / took * 1e6; took >= enoughTime {
			return rate, nil
		}
	}
	return rate, nil
}

// products is the best rate of a convolution of one tap, which is a matrix product, in
// multiply-adds a second.
func (d *device) products(p engine.Precision) (rate float64, err error) {
	for images, channels := 1, 32; channels <= 4096; images, channels = 4*images, 2*channels {
		const side = 16
		g := plan.Geometry{N: images, H: side, W: side, C: channels, YH: side, YW: side, O: channels, Kernel: 1, Stride: 1}
		c, err := d.compare(plan.Problem{Geometry: g, Half: p == engine.BFloat16, Exact: p == engine.Float32}, 0)
		if driver.IsMemory(err) && rate > 0 {
			return rate, nil
		}
		if err != nil {
			return 0, err
		}
		took := c.Own
		if c.Library > 0 {
			took = min(took, c.Library)
		}
		if rate = max(rate, float64(g.MACs())/took*1e6); took >= enoughTime {
			return rate, nil
		}
	}
	return rate, nil
}

// StepCosts are those of the plan.
func (p *program) StepCosts() []engine.Cost { return p.plan.Costs() }

//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/driver"
	"moncae/internal/fault"
	"moncae/internal/graph"
)

// Open opens the engine on the devices of the given ordinals; with none, on all
// devices of the first one's model, for results must not depend on where a
// program lands. Without a driver or a device, the error is of the kind Missing.
func Open(ordinals ...int) (engine.Engine, error) {
	found, err := driver.Devices()
	if err != nil {
		return nil, missing(err)
	}
	chosen, err := choose(found, ordinals)
	if err != nil {
		return nil, err
	}
	library, missing := cudnn.Open()
	many := &engines{}
	for _, d := range chosen {
		device, err := openDevice(d, library)
		if err != nil {
			return nil, closing(many, fmt.Errorf("CUDA device %d (%s): %w", d.Ordinal, d.Name, err))
		}
		many.list = append(many.list, &single{device: device})
	}
	if missing != nil {
		many.leave("no cuDNN", missing)
	} else if err := many.try(); err != nil {
		if !cudnn.Unusable(err) {
			return nil, closing(many, err)
		}
		many.leave("cuDNN "+library.Version()+" doesn't run here", err)
	}
	if len(many.list) == 1 {
		return many.list[0], nil
	}
	return many, nil
}

func missing(err error) error {
	if errors.Is(err, driver.ErrNoDriver) {
		return fault.Missingf("CUDA: %w: %w", ErrAbsent, err)
	}
	return fault.Missingf("CUDA: %w", err)
}

func closing(e engine.Engine, err error) error {
	if closed := e.Close(); closed != nil {
		return fmt.Errorf("%w (then, closing: %w)", err, closed)
	}
	return err
}

func choose(found []driver.Device, ordinals []int) ([]driver.Device, error) {
	if len(found) == 0 {
		return nil, fault.Missingf("CUDA: the driver sees no device")
	}
	var chosen []driver.Device
	for _, o := range ordinals {
		if o < 0 || o >= len(found) {
			return nil, fault.Missingf("CUDA device %d is not here: the driver shows %d, numbered from 0", o, len(found))
		}
		chosen = append(chosen, found[o])
	}
	if chosen == nil {
		for _, d := range found {
			if d.Name == found[0].Name {
				chosen = append(chosen, d)
			}
		}
	}
	for _, d := range chosen {
		if d.Major < 8 {
			return nil, fault.Missingf("CUDA device %d (%s) has compute capability %d.%d; 8.0 (Ampere) or newer is needed", d.Ordinal, d.Name, d.Major, d.Minor)
		}
		if d.Name != chosen[0].Name {
			return nil, fault.Usagef("CUDA devices %d (%s) and %d (%s) differ: results would depend on where a candidate lands", chosen[0].Ordinal, chosen[0].Name, d.Ordinal, d.Name)
		}
	}
	return chosen, nil
}

// single is the engine on one device.
type single struct{ device *device }

var precisions = []engine.Precision{engine.Float32, engine.TF32, engine.BFloat16}

func (e *single) Info() engine.Info {
	d := e.device
	version := "CUDA " + driver.FormatVersion(driver.Version())
	if d.library != nil {
		version += ", cuDNN " + d.library.Version()
	} else {
		version += ", own convolutions (" + d.without + ")"
	}
	return engine.Info{
		Name: "cuda", Version: version, Device: d.info.Name, Workers: d.workers(),
		Model: d.info.Name, ISA: fmt.Sprintf("sm_%d%d", d.info.Major, d.info.Minor), Precisions: precisions,
	}
}

// workers is how many programs fill the device: small networks leave most of it
// idle. An H200 with 132 multiprocessors takes 8.
func (d *device) workers() int { return min(max(d.info.Multiprocessors/16, 1), 16) }

func (e *single) Load(s engine.Source) (engine.Data, error) { return e.device.load(s) }

func (e *single) Compile(net *graph.Net, data engine.Data, cfg engine.Config) (engine.Program, error) {
	d, ok := data.(*sources)
	if !ok || d.device != e.device {
		return nil, fmt.Errorf("cuda: the data were loaded by another engine")
	}
	p, err := compile(e.device, net, d, cfg)
	if err != nil {
		return nil, fmt.Errorf("cuda: compiling: %w", err)
	}
	return p, nil
}

func (e *single) Close() error { return e.device.close() }

//go:build nvidia && linux && amd64

package cuda

import (
	"errors"
	"fmt"

	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/driver"
)

// Devices lists the GPUs; an error of the kind Missing if there is no driver.
func Devices() ([]Device, error) {
	found, err := driver.Devices()
	if err != nil {
		return nil, missing(err)
	}
	devices := make([]Device, len(found))
	for i, d := range found {
		devices[i] = describe(d)
	}
	return devices, nil
}

func describe(d driver.Device) Device {
	return Device{d.Ordinal, d.Name, fmt.Sprintf("%d.%d", d.Major, d.Minor), d.Memory, d.Multiprocessors}
}

// Probe looks for the driver, its devices and cuDNN, and says what is missing.
func Probe() Report {
	r := Report{Built: true}
	devices, err := Devices()
	if err != nil {
		r.DriverError = err.Error()
	} else {
		r.Driver, r.Devices = driver.FormatVersion(driver.Version()), devices
	}
	library, err := cudnn.Open()
	if err == nil && len(devices) > 0 {
		err = tryOn(devices[0].Ordinal, library)
	}
	if err != nil {
		r.CuDNNError = err.Error()
	} else {
		r.CuDNN, r.CuDNNPath = library.Version(), library.Path
	}
	if library != nil {
		r.CuDNNMixed = cudnn.Mixed(library.Path)
	}
	return r
}

// tryOn runs a convolution on a device.
func tryOn(ordinal int, library *cudnn.Library) error {
	found, err := driver.Devices()
	if err != nil {
		return err
	}
	d, err := openDevice(found[ordinal], library)
	if err != nil {
		return err
	}
	if err := d.tryLibrary(); err != nil {
		return errors.Join(fmt.Errorf("cuDNN %s (%s) opens but does not run: %w", library.Version(), library.Path, err), d.close())
	}
	return d.close()
}

//go:build nvidia && linux && amd64

package cuda

import (
	"fmt"

	"moncae/internal/engine/cuda/cudnn"
	"moncae/internal/engine/cuda/driver"
)

// Devices lists the GPUs; an error of the sort Missing if there is no driver.
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
	if err != nil {
		r.CuDNNError = err.Error()
	} else {
		r.CuDNN, r.CuDNNPath = library.Version(), library.Path
	}
	return r
}

// Package cuda runs programs on NVIDIA GPUs: gorgonia.org/cu drives the device,
// own kernels (package kernels, embedded as PTX) do what is ours, and cuDNN 9,
// where there is one, the convolutions. Neither the driver nor cuDNN is linked:
// the same binary starts without them.
//
// A training step is one CUDA graph; a call of Train copies its row numbers and
// learning rates to the device, launches the graph once a step, and copies the
// losses back. The data are on the device once, each program has its own stream
// and its own block of memory, sized before it is asked for (package plan).
//
// Promises beyond those of package engine:
//   - a program that the device can't hold gets engine.ErrMemory, at once if it
//     never could, otherwise after waiting for others to make room;
//   - a fault on the device loses the context of every program. The engine then
//     makes a new one and repeats each program's training from its start, alone:
//     the results are the same, and only a program that faults again fails.
//
// The package needs the build tag nvidia on linux/amd64 with cgo; elsewhere Open
// says so.
package cuda

import "errors"

// ErrAbsent is wrapped where there is nothing to use: no NVIDIA driver on the
// machine, or no CUDA engine in the binary.
var ErrAbsent = errors.New("no NVIDIA driver")

// Device describes one GPU.
type Device struct {
	Ordinal         int    `json:"ordinal"`
	Name            string `json:"name"`
	Capability      string `json:"capability"` // compute capability, for example "9.0"
	Memory          int64  `json:"memory"`     // bytes
	Multiprocessors int    `json:"multiprocessors"`
}

// Report is what Probe finds on a machine.
type Report struct {
	// Built tells whether this binary holds the CUDA engine.
	Built bool `json:"built"`
	// Driver is the newest CUDA version that the driver takes; "" with the reason
	// in DriverError.
	Driver      string   `json:"driver,omitempty"`
	DriverError string   `json:"driver_error,omitempty"`
	Devices     []Device `json:"devices"`
	// CuDNN is the library's version and CuDNNPath where it was found; "" with the
	// reason, and the package that has it, in CuDNNError.
	CuDNN      string `json:"cudnn,omitempty"`
	CuDNNPath  string `json:"cudnn_path,omitempty"`
	CuDNNError string `json:"cudnn_error,omitempty"`
	// CuDNNMixed says that two versions lie in one folder, and the mend.
	CuDNNMixed string `json:"cudnn_mixed,omitempty"`
}

//go:build nvidia && linux && amd64

// Package driver is the part of the CUDA driver that the engine needs:
// gorgonia.org/cu where it has the call, a few lines of cgo for stream capture
// and graphs, which it lacks.
//
// libcuda.so.1 is opened by Init, not by the dynamic linker: every driver
// function is an entry of our own (names.h) that looks the real one up on its
// first call. So one binary starts with and without a driver, and a command
// that needs no device doesn't pay for starting one.
package driver

/*
#cgo LDFLAGS: -Wl,--as-needed -L${SRCDIR}/link -ldl
#include <cuda.h>
#include <stdint.h>
#include <stdlib.h>
#include "loader.h"

static void moncae_jit_log(const char *ptx, char *log, unsigned bytes) {
	CUmodule module;
	CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
	void *values[] = {log, (void *)(uintptr_t)(bytes - 1)};
	log[0] = log[bytes - 1] = 0;
	if (cuModuleLoadDataEx(&module, ptx, 2, options, values) == CUDA_SUCCESS) cuModuleUnload(module);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"gorgonia.org/cu"
)

// MinVersion is the oldest driver interface that takes our kernels' PTX (8.1):
// CUDA 12.1, driver 530.
const MinVersion = 12010

// ErrNoDriver is wrapped where libcuda.so.1 can't be opened.
var ErrNoDriver = errors.New("the driver's library can't be opened")

var start = sync.OnceValue(func() error {
	var why *C.char
	switch r := C.moncae_cuda_open(&why); {
	case r < 0:
		return fmt.Errorf("%w: %s", ErrNoDriver, C.GoString(why))
	case r != 0:
		return fmt.Errorf("starting the CUDA driver: %w", result(C.CUresult(r)))
	}
	if v := cu.Version(); v < MinVersion {
		return fmt.Errorf("the NVIDIA driver supports CUDA %s; CUDA %s or newer (driver 530) is needed", FormatVersion(v), FormatVersion(MinVersion))
	}
	return nil
})

// Init opens and starts the driver, once; every call gives the same answer.
func Init() error { return start() }

// Version is the newest CUDA version that the driver supports, for example
// 12040 for 12.4.
func Version() int { return cu.Version() }

// FormatVersion writes 12040 as "12.4".
func FormatVersion(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// CompilerSays is what the driver's compiler has against PTX that it refused, on
// one line that begins with a colon; "" where it says nothing. The context must
// be current.
func CompilerSays(ptx string) string {
	code := C.CString(ptx)
	defer C.free(unsafe.Pointer(code))
	var log [4096]C.char
	C.moncae_jit_log(code, &log[0], C.uint(len(log)))
	said := strings.Join(strings.Fields(C.GoString(&log[0])), " ")
	if said == "" {
		return ""
	}
	return ": " + said
}

// Device is one GPU.
type Device struct {
	Ordinal         int
	Name            string
	Major, Minor    int   // compute capability
	Multiprocessors int   //
	Memory          int64 // bytes
	id              cu.Device
}

// Devices lists the GPUs that CUDA_VISIBLE_DEVICES leaves, in the driver's order.
func Devices() ([]Device, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	n, err := cu.NumDevices()
	if err != nil {
		return nil, fmt.Errorf("counting CUDA devices: %w", err)
	}
	devices := make([]Device, n)
	for i := range devices {
		if devices[i], err = device(i); err != nil {
			return nil, fmt.Errorf("CUDA device %d: %w", i, err)
		}
	}
	return devices, nil
}

func device(ordinal int) (Device, error) {
	id, err := cu.GetDevice(ordinal)
	if err != nil {
		return Device{}, err
	}
	d := Device{Ordinal: ordinal, id: id}
	if d.Name, err = id.Name(); err != nil {
		return d, err
	}
	if d.Memory, err = id.TotalMem(); err != nil {
		return d, err
	}
	for attribute, to := range map[cu.DeviceAttribute]*int{
		cu.ComputeCapabilityMajor: &d.Major,
		cu.ComputeCapabilityMinor: &d.Minor,
		cu.MultiprocessorCount:    &d.Multiprocessors,
	} {
		if *to, err = id.Attribute(attribute); err != nil {
			return d, err
		}
	}
	return d, nil
}

// ID is what gorgonia.org/cu calls the device.
func (d Device) ID() cu.Device { return d.id }

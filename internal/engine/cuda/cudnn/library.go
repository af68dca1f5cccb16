//go:build nvidia && linux && amd64

package cudnn

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "api.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"unsafe"
)

// Package is what holds the library for CUDA 12, as pip names it.
const Package = "nvidia-cudnn-cu12"

// Variable names the environment variable that may hold the library's path.
const Variable = "MONCAE_CUDNN"

// ErrNotFound is wrapped where no libcudnn.so.9 can be opened.
var ErrNotFound = errors.New("cuDNN 9 was not found")

// Library is an open cuDNN.
type Library struct {
	Path    string
	version int
}

// Version is for example "9.1.0".
func (l *Library) Version() string {
	return fmt.Sprintf("%d.%d.%d", l.version/10000, l.version%10000/100, l.version%100)
}

// Open opens the library, once: the one that MONCAE_CUDNN names, or else the
// first of Paths that opens.
var Open = sync.OnceValues(func() (*Library, error) {
	paths := []string{os.Getenv(Variable)}
	if paths[0] == "" {
		paths = Paths()
	}
	var reasons []string
	for _, path := range paths {
		l, err := open(path)
		if err == nil {
			return l, nil
		}
		reasons = append(reasons, err.Error())
	}
	return nil, fmt.Errorf("%w: %s (pip install %s, or name the file libcudnn.so.9 in %s)", ErrNotFound, strings.Join(reasons, "; "), Package, Variable)
})

func open(path string) (*Library, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var version C.size_t
	wrong := C.moncae_cudnn_open(name, &version)
	if major := version / 10000; version != 0 && major != 9 {
		return nil, fmt.Errorf("%s has version number %d; version 9 is needed", path, int(version))
	}
	if wrong != nil {
		return nil, errors.New(C.GoString(wrong))
	}
	if real := C.moncae_cudnn_path(); real != nil {
		path = C.GoString(real)
	}
	if err := openBLAS(path, int(C.moncae_cudnn_cuda())); err != nil {
		return nil, err
	}
	return &Library{path, int(version)}, nil
}

// Status is a cudnnStatus_t other than success.
type Status int

func (s Status) Error() string {
	return fmt.Sprintf("cuDNN: %s (%d)", C.GoString(C.moncae_cudnn_error(C.int(s))), int(s))
}

// Refused tells whether cuDNN can't compute something of that shape or type, or
// not in this environment; it couldn't tomorrow either.
func Refused(err error) bool {
	var s Status
	return errors.As(err, &s) && s < internalError
}

// Environment tells whether err says that the library doesn't work here, with
// this driver, device or installation, whatever it is asked to compute.
func Environment(err error) bool {
	var s Status
	return errors.As(err, &s) && (s < badParam || s >= incompatibleDriver && s <= sublibraryUnavailable)
}

// Unusable tells whether err is cuDNN's own, not the device's.
func Unusable(err error) bool {
	var s Status
	return errors.As(err, &s)
}

// IsMemory tells whether cuDNN got no memory.
func IsMemory(err error) bool {
	var s Status
	return errors.As(err, &s) && (s == hostAllocation || s == deviceAllocation)
}

// The hundreds of a cudnnStatus_t say what went wrong, since version 9.
const (
	badParam              = 2000 // from 1001 on before it: the library isn't ready, for example without a usable driver
	incompatibleDriver    = 3005 // from 3000 on before it: not supported
	sublibraryUnavailable = 3009

	internalError    = 4000
	hostAllocation   = 4003
	deviceAllocation = 4004
)

func result(s C.int) error {
	if s == 0 {
		return nil
	}
	return Status(s)
}

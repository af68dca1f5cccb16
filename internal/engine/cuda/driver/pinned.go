//go:build nvidia && linux && amd64

package driver

// #include <cuda.h>
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// Pinned is page-locked host memory, which the device reads and writes while the
// host goes on. It belongs to the context that was current when it was made.
type Pinned []byte

// Pin allocates n bytes. It may wait for everything on the device.
func Pin(n int) (Pinned, error) {
	var p unsafe.Pointer
	if err := result(C.cuMemAllocHost(&p, C.size_t(n))); err != nil {
		return nil, fmt.Errorf("allocating %d bytes of pinned memory: %w", n, err)
	}
	return unsafe.Slice((*byte)(p), n), nil
}

// Free gives the memory back; nothing on the device may use it any more.
func (p Pinned) Free() error { return cu.MemFreeHost(unsafe.Pointer(&p[0])) }

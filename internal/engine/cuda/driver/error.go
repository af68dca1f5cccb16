//go:build nvidia && linux && amd64

package driver

// #include <cuda.h>
import "C"

import (
	"errors"

	"gorgonia.org/cu"
)

// result gives a CUresult of this package's own calls the type that those of
// gorgonia.org/cu have.
func result(r C.CUresult) error {
	if r == C.CUDA_SUCCESS {
		return nil
	}
	return like(cu.Success, int(r))
}

func like[T ~int](_ T, code int) T { return T(code) }

// IsMemory tells whether the device refused an allocation.
func IsMemory(err error) bool { return errors.Is(err, cu.OutOfMemory) }

// IsLost tells whether err leaves the context unusable: every later call gives
// the same error until the context is made anew.
func IsLost(err error) bool {
	for _, lost := range []error{
		cu.IllegalAddress, cu.LaunchTimeout, cu.ContextIsDestroyed, cu.Assert, cu.HardwareStackError, cu.IllegalInstruction,
		cu.MisalignedAddress, cu.InvalidAddressSpace, cu.InvalidPc, cu.LaunchFailed, like(cu.Success, C.CUDA_ERROR_ECC_UNCORRECTABLE),
	} {
		if errors.Is(err, lost) {
			return true
		}
	}
	return false
}

//go:build !(nvidia && linux && amd64 && cgo)

package cuda

import (
	"moncae/internal/engine"
	"moncae/internal/fault"
)

const notBuilt = "this binary was built without the CUDA engine: build with the tag nvidia on linux/amd64"

// Open says that the engine is not in this binary.
func Open(...int) (engine.Engine, error) { return nil, fault.Missingf("%w: %s", ErrAbsent, notBuilt) }

// Devices says that the engine is not in this binary.
func Devices() ([]Device, error) { return nil, fault.Missingf(notBuilt) }

// Probe says that the engine is not in this binary.
func Probe() Report { return Report{DriverError: notBuilt} }

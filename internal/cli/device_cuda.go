package cli

import (
	"strconv"
	"strings"

	"moncae/internal/engine"
	"moncae/internal/engine/cuda"
	"moncae/internal/fault"
)

// openCUDA opens all GPUs for "cuda", the one of that number for "cuda:N".
func openCUDA(device string) (engine.Engine, error) {
	number, one := strings.CutPrefix(device, "cuda:")
	if !one {
		return cuda.Open()
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return nil, fault.Usagef("--device %s: %q is not a device's number; give for example cuda:0", device, number)
	}
	return cuda.Open(n)
}

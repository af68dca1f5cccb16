package ort

import "os"

// driverFiles are there where an NVIDIA driver is.
var driverFiles = []string{"/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"}

// nvidiaPresent tells whether the machine has an NVIDIA driver, so that a
// machine without one isn't bothered with reasons why CUDA doesn't work.
func nvidiaPresent() bool {
	for _, path := range driverFiles {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

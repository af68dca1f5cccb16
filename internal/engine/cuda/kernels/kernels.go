// Package kernels holds the CUDA engine's device code.
//
// The sources are CUDA C++; PTX is what NVRTC makes of them for compute_80, and
// a driver compiles it for its own device once and caches that. `make ptx`
// writes the .ptx files anew; `make test-cuda` fails where they are not what
// the sources give. Nothing here needs a CUDA installation at run time.
package kernels

import "embed"

//go:embed *.ptx
var files embed.FS

// PTX is the code of all kernels by the name of its source without suffix.
func PTX() map[string]string {
	entries, err := files.ReadDir(".")
	if err != nil {
		panic("kernels: " + err.Error())
	}
	code := make(map[string]string, len(entries))
	for _, e := range entries {
		b, err := files.ReadFile(e.Name())
		if err != nil {
			panic("kernels: " + err.Error())
		}
		code[e.Name()[:len(e.Name())-len(".ptx")]] = string(b)
	}
	return code
}

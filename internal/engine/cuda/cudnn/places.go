//go:build nvidia && linux && amd64

package cudnn

// #include <stdlib.h>
// #include "api.h"
import "C"

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"moncae/internal/pythonenv"
)

// Paths are the places where the library is looked for, in order: the dynamic
// linker's, the active Python environments', conda's own, that of python3.
func Paths() []string {
	const wheel = "nvidia/cudnn/lib/libcudnn.so.9"
	paths := []string{"libcudnn.so.9"}
	for _, p := range pythonenv.Active(wheel) {
		paths = append(paths, p.Path)
	}
	if conda := os.Getenv("CONDA_PREFIX"); conda != "" {
		paths = append(paths, filepath.Join(conda, "lib", "libcudnn.so.9"))
	}
	for _, p := range pythonenv.Interpreter(wheel) {
		paths = append(paths, p.Path)
	}
	return paths
}

// openBLAS opens what cuDNN opens by name when it needs it, and ends the process
// where that is missing: cublasLt of its CUDA (12080 is 12.8; 0: unknown). pip
// puts it into another package's folder.
func openBLAS(cudnn string, cuda int) error {
	major := cuda / 1000
	if major == 0 {
		return nil
	}
	name := fmt.Sprintf("libcublasLt.so.%d", major)
	nvidia := filepath.Join(filepath.Dir(cudnn), "..", "..")
	var reasons []string
	for _, path := range []string{
		filepath.Join(nvidia, "cublas", "lib", name), filepath.Join(nvidia, fmt.Sprintf("cu%d", major), "lib", name),
		filepath.Join(filepath.Dir(cudnn), name), name,
	} {
		c := C.CString(path)
		wrong := C.moncae_open_beside(c)
		C.free(unsafe.Pointer(c))
		if wrong == nil {
			return nil
		}
		reasons = append(reasons, C.GoString(wrong))
	}
	wheel := "nvidia-cublas"
	if major == 12 {
		wheel += "-cu12"
	}
	return fmt.Errorf("%s opens, but %s, which it needs, does not (pip install %s): %s", cudnn, name, wheel, strings.Join(reasons, "; "))
}

// Mixed says what is wrong where pip has put the cuDNN of two CUDA versions into
// the folder of the library at path: the one that came last has overwritten part
// of the other. "" where nothing is.
func Mixed(path string) string {
	packages := filepath.Join(filepath.Dir(path), "..", "..", "..")
	found := map[string]string{}
	for _, name := range []string{"nvidia_cudnn_cu12", "nvidia_cudnn_cu13"} {
		infos, _ := filepath.Glob(filepath.Join(pythonenv.Escape(packages), name+"-*.dist-info")) // the pattern is well-formed
		for _, info := range infos {
			version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(info), name+"-"), ".dist-info")
			found[name] = strings.ReplaceAll(name, "_", "-") + " " + version
		}
	}
	if len(found) < 2 {
		return ""
	}
	return fmt.Sprintf("%s and %s lie in one folder, each with half of its files: pip uninstall nvidia-cudnn-cu12 nvidia-cudnn-cu13, then install one of them anew",
		found["nvidia_cudnn_cu12"], found["nvidia_cudnn_cu13"])
}

//go:build cgo

package ort

import (
	"fmt"
	"path/filepath"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"moncae/internal/fault"
)

// loaded is the process's one library.
var loaded struct {
	sync.Mutex
	path, version string
}

// Load loads the library that Find finds, unless one is loaded already, and
// says which it is. A second library can't be loaded into the process.
func Load(library string) (path, version string, err error) { return LoadFor(library, "cpu") }

// LoadFor is Load for models on a device: see Find.
func LoadFor(library, device string) (path, version string, err error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.path != "" && library == "" {
		return loaded.path, loaded.version, nil
	}
	f, err := Find(library, device)
	if err != nil {
		return "", "", err
	}
	real, err := filepath.Abs(f.Path)
	if err == nil {
		real, err = filepath.EvalSymlinks(real)
	}
	if err != nil {
		return "", "", fmt.Errorf("ONNX Runtime: %w", err)
	}
	switch loaded.path {
	case real:
		return loaded.path, loaded.version, nil
	case "":
	default:
		return "", "", fault.Usagef("ONNX Runtime: %s is loaded already, %s can't be loaded beside it", loaded.path, real)
	}
	ort.SetSharedLibraryPath(real)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return "", "", fault.Missingf("%s: ONNX Runtime %s or newer can't be loaded from it: %w", real, minVersion, err)
	}
	if err := checkVersion(ort.GetVersion()); err != nil {
		return "", "", fault.Missingf("%s: %w", real, err)
	}
	loaded.path, loaded.version = real, ort.GetVersion()
	return loaded.path, loaded.version, nil
}

package ort

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"moncae/internal/fault"
	"moncae/internal/pythonenv"
)

// EnvLibrary names the environment variable that points to the library: the
// file, or a folder that holds it.
const EnvLibrary = "MONCAE_ONNXRUNTIME"

// Place is one file or folder that was looked at.
type Place struct {
	Why     string `json:"why"`  // how it came to be looked at
	Path    string `json:"path"` // the library, or the folder without one
	Version string `json:"version,omitempty"`
	Problem string `json:"problem,omitempty"` // why it can't be used; "" for the one that is taken
}

// Found is the result of a search.
type Found struct {
	Path    string  `json:"path"` // "" where there is none
	Version string  `json:"version"`
	Places  []Place `json:"places"` // in the order they were looked at
}

// Find looks for libonnxruntime, in this order: explicit (a file or folder, ""
// for none), the environment variable MONCAE_ONNXRUNTIME, beside the program (.,
// lib, ../lib, ../.deps/onnxruntime), the package onnxruntime of the Python
// environment that the program lies in, .deps/onnxruntime of moncae's source tree
// around the working directory, the user's cache (moncae/lib), the package
// onnxruntime of the active Python environment and of python3. The first that
// can be used is taken; an explicit or environment one that can't be used is an
// error, and nothing else is tried. The device is as Options.Device has it: a
// folder that also holds CUDA's provider goes before others for cuda, and for auto
// where there is an NVIDIA driver. Nothing is loaded.
func Find(explicit, device string) (Found, error) {
	d, err := parseDevice(device)
	if err != nil {
		return Found{}, err
	}
	return find(explicit, d.wanted())
}

func find(explicit string, gpu bool) (Found, error) {
	if explicit != "" {
		return findGiven("the path given", explicit)
	}
	if v := os.Getenv(EnvLibrary); v != "" {
		return findGiven(EnvLibrary, v)
	}
	sources := []func() []Place{besideProgram, sameEnvironment, sourceTree, userCache, activePython, python3}
	if gpu {
		var f Found
		for _, places := range sources {
			for _, p := range places() {
				if hasCUDA(p.Path) && f.take(p.Why, p.Path) {
					return f, nil
				}
			}
		}
	}
	var f Found
	for _, places := range sources {
		for _, p := range places() {
			if f.take(p.Why, p.Path) {
				return f, nil
			}
		}
	}
	var looked []string
	for _, p := range f.Places {
		looked = append(looked, p.Path+" ("+p.Problem+")")
	}
	return f, fault.Missingf("ONNX Runtime (libonnxruntime %s or newer) was not found; install it with \"pip install onnxruntime\", or with \"make deps\" in moncae's source tree, or set %s to the file; looked at: %s",
		minVersion, EnvLibrary, strings.Join(looked, ", "))
}

func findGiven(why, path string) (Found, error) {
	var f Found
	if f.take(why, path) {
		return f, nil
	}
	last := f.Places[len(f.Places)-1]
	return f, fault.Missingf("%s: %s: %s; libonnxruntime %s or newer is wanted, the file or its folder (\"pip install onnxruntime\" and \"make deps\" bring one)",
		why, last.Path, last.Problem, minVersion)
}

// hasCUDA tells whether a folder holds the provider that a library needs for CUDA.
func hasCUDA(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "libonnxruntime_providers_cuda.so"))
	return err == nil
}

// take looks at a library or a folder and tells whether the search is over.
func (f *Found) take(why, path string) bool {
	files := []string{path}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		if files = librariesIn(path); len(files) == 0 {
			f.Places = append(f.Places, Place{Why: why, Path: path, Problem: "no libonnxruntime in it"})
			return false
		}
	} else if err != nil {
		f.Places = append(f.Places, Place{Why: why, Path: path, Problem: "not there"})
		return false
	}
	for _, file := range files {
		version, err := inspect(file)
		p := Place{Why: why, Path: file, Version: version}
		if err != nil {
			p.Problem = err.Error()
		}
		f.Places = append(f.Places, p)
		if err == nil {
			f.Path, f.Version = file, version
			return true
		}
	}
	return false
}

// librariesIn lists a folder's libonnxruntime files, the plainest name first;
// the provider plug-ins, whose names go on with an underscore, are left out.
func librariesIn(dir string) []string {
	patterns := map[string][]string{
		"darwin":  {"libonnxruntime.dylib", "libonnxruntime.*.dylib"},
		"windows": {"onnxruntime.dll"},
	}[runtime.GOOS]
	if patterns == nil {
		patterns = []string{"libonnxruntime.so.1", "libonnxruntime.so", "libonnxruntime.so.*"}
	}
	var files []string
	for _, p := range patterns {
		matches, _ := filepath.Glob(filepath.Join(pythonenv.Escape(dir), p)) // the patterns are well-formed
		for _, m := range matches {
			if !slices.Contains(files, m) {
				files = append(files, m)
			}
		}
	}
	return files
}

func besideProgram() []Place {
	dir := programFolder()
	if dir == "" {
		return nil
	}
	var ps []Place
	for _, sub := range []string{".", "lib", "../lib", "../.deps/onnxruntime"} {
		ps = append(ps, Place{Why: "beside the program", Path: filepath.Join(dir, sub)})
	}
	return ps
}

// programFolder is the folder of the program's file, links followed; "" where
// the system doesn't tell.
func programFolder() string {
	program, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(program); err == nil {
		program = real
	}
	return filepath.Dir(program)
}

// sameEnvironment is for a program that pip installed: its wheel depends on
// onnxruntime, so that is in the packages of the same prefix.
func sameEnvironment() []Place {
	if dir := programFolder(); dir != "" {
		return packagesOf(filepath.Dir(dir))
	}
	return nil
}

// packagesOf looks for onnxruntime where pip puts packages below prefix: of an
// environment, of Debian's own Python, of Windows, and of pip install --target.
func packagesOf(prefix string) []Place {
	var ps []Place
	for _, packages := range []string{"lib*/python3*/site-packages", "lib/python3*/dist-packages", "Lib/site-packages", "."} {
		dirs, _ := filepath.Glob(filepath.Join(pythonenv.Escape(prefix), packages, "onnxruntime", "capi")) // the patterns are well-formed
		for _, dir := range dirs {
			ps = append(ps, Place{Why: "the program's Python environment", Path: dir})
		}
	}
	return ps
}

// sourceTree is moncae's own source tree, where the working directory is in one.
func sourceTree() []Place {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	for {
		if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil {
			if !strings.HasPrefix(string(mod), "module moncae\n") {
				return nil
			}
			return []Place{{Why: "moncae's source tree", Path: filepath.Join(dir, ".deps", "onnxruntime")}}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		dir = parent
	}
}

func userCache() []Place {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	return []Place{{Why: "the user's cache", Path: filepath.Join(dir, "moncae", "lib")}}
}

// capi is where the package onnxruntime keeps its libraries.
var capi = filepath.Join("onnxruntime", "capi")

// activePython looks into the environments that the shell has activated.
func activePython() []Place { return placesOf(pythonenv.Active(capi)) }

// python3 asks the interpreter on the path.
func python3() []Place {
	if found := pythonenv.Interpreter(capi); len(found) > 0 {
		return placesOf(found)
	}
	return []Place{{Why: "Python", Path: "package onnxruntime of python3"}}
}

func placesOf(found []pythonenv.Place) (ps []Place) {
	for _, p := range found {
		ps = append(ps, Place{Why: p.Why, Path: p.Path})
	}
	return ps
}

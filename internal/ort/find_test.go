package ort

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"moncae/internal/fault"
)

func TestFindRefusesWhatIsNoLibrary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("libraries are inspected before loading where they are ELF files")
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cases := map[string]struct{ path, says string }{
		"absent":   {filepath.Join(dir, "nowhere"), "not there"},
		"empty":    {write("empty.so", nil), "empty"},
		"text":     {write("text.so", []byte("hello")), "not a shared library"},
		"folder":   {t.TempDir(), "no libonnxruntime in it"},
		"program":  {os.Args[0], "a shared library for"},
		"libc":     {libc(t), "not ONNX Runtime"},
		"a header": {write("header.so", firstBytes(t, libc(t), 64)), "cut short"},
		"half":     {write("half.so", firstBytes(t, libc(t), 1<<19)), "cut short"},
	}
	for name, c := range cases {
		f, err := Find(c.path, "cpu")
		if fault.Of(err) != fault.Missing || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "pip install onnxruntime") {
			t.Errorf("%s: error %v, want a missing one that says %q and how to install", name, err, c.says)
		}
		if f.Path != "" || len(f.Places) != 1 || f.Places[0].Problem == "" {
			t.Errorf("%s: found %+v", name, f)
		}
	}
}

func TestFindTakesTheEnvironmentFirst(t *testing.T) {
	f, err := Find("", "cpu")
	if err != nil {
		t.Skip(err)
	}
	t.Setenv(EnvLibrary, t.TempDir())
	if _, err := Find("", "cpu"); fault.Of(err) != fault.Missing || !strings.Contains(err.Error(), EnvLibrary) {
		t.Errorf("an empty folder in %s: error %v", EnvLibrary, err)
	}
	t.Setenv(EnvLibrary, filepath.Dir(f.Path))
	again, err := Find("", "cpu")
	if err != nil || again.Path != f.Path || again.Places[0].Why != EnvLibrary {
		t.Errorf("%s=%s: %+v, %v", EnvLibrary, filepath.Dir(f.Path), again, err)
	}
}

func TestFindSaysWhereItLooked(t *testing.T) {
	t.Setenv(EnvLibrary, "")
	t.Setenv("VIRTUAL_ENV", "/somewhere/env")
	t.Setenv("PATH", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	f, err := Find("", "cpu")
	if fault.Of(err) != fault.Missing {
		t.Fatalf("found %+v, error %v", f, err)
	}
	for _, place := range []string{"/somewhere/env", filepath.Join("moncae", "lib"), filepath.Dir(os.Args[0]), "make deps"} {
		if !strings.Contains(err.Error(), place) {
			t.Errorf("the error does not name %s: %v", place, err)
		}
	}
}

func TestFindLooksIntoPython(t *testing.T) {
	have, err := Find("", "cpu")
	if err != nil {
		t.Skip(err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the folders are named otherwise")
	}
	env, bin := t.TempDir(), t.TempDir()
	capi := filepath.Join(env, "lib", "python3.11", "site-packages", "onnxruntime", "capi")
	if err := os.MkdirAll(capi, 0o755); err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(capi, filepath.Base(have.Path))
	if err := os.Symlink(have.Path, library); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho " + filepath.Dir(filepath.Dir(capi)) + "\n"
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(EnvLibrary, "")
	t.Setenv("CONDA_PREFIX", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Chdir(t.TempDir())
	for _, c := range []struct{ env, path, why string }{
		{env, t.TempDir(), "Python environment VIRTUAL_ENV"},
		{"", bin + ":/bin:/usr/bin", "Python"},
	} {
		t.Setenv("VIRTUAL_ENV", c.env)
		t.Setenv("PATH", c.path)
		f, err := Find("", "cpu")
		if err != nil || f.Path != library || f.Places[len(f.Places)-1].Why != c.why {
			t.Errorf("%s: found %+v, %v", c.why, f, err)
		}
	}
}

// pip install onnxruntime-gpu has an effect beside a library that comes with the
// program: a GPU wants the one with CUDA's provider, the CPU the first.
func TestFindPrefersCUDAForAGPU(t *testing.T) {
	have, err := Find("", "cpu")
	if err != nil {
		t.Skip(err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("CUDA is for Linux")
	}
	env := t.TempDir()
	capi := filepath.Join(env, "lib", "python3.12", "site-packages", "onnxruntime", "capi")
	if err := os.MkdirAll(capi, 0o755); err != nil {
		t.Fatal(err)
	}
	library := filepath.Join(capi, filepath.Base(have.Path))
	if err := os.Symlink(have.Path, library); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir() // looked at before the environment
	first := filepath.Join(cache, "moncae", "lib", filepath.Base(have.Path))
	if err := os.MkdirAll(filepath.Dir(first), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(have.Path, first); err != nil {
		t.Fatal(err)
	}
	t.Setenv(EnvLibrary, "")
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("VIRTUAL_ENV", env)
	t.Setenv("CONDA_PREFIX", "")
	t.Chdir(t.TempDir())
	driver := filepath.Join(t.TempDir(), "nvidiactl")
	defer func(files []string) { driverFiles = files }(driverFiles)
	driverFiles = []string{driver}
	look := func(device, want string) {
		t.Helper()
		if f, err := Find("", device); err != nil || f.Path != want {
			t.Errorf("device %s: %s (%v), want %s", device, f.Path, err, want)
		}
	}
	look("cuda", first) // no provider anywhere: the usual order
	if err := os.WriteFile(filepath.Join(capi, "libonnxruntime_providers_cuda.so"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	look("cuda", library)
	look("cuda:1", library)
	look("cpu", first)
	look("auto", first) // no driver
	if err := os.WriteFile(driver, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	look("auto", library)
	if f, err := Find("", "cpu"); err != nil || f.Path != first {
		t.Errorf("without a device: %s (%v)", f.Path, err)
	}
}

func TestFindLooksBesideAProgramThatPipInstalled(t *testing.T) {
	for _, layout := range []string{"lib/python3.14/site-packages", "lib64/python3.11/site-packages", "lib/python3.11/dist-packages", "Lib/site-packages", "."} {
		prefix := filepath.Join(t.TempDir(), "env [1]")
		capi := filepath.Join(prefix, layout, "onnxruntime", "capi")
		if err := os.MkdirAll(capi, 0o755); err != nil {
			t.Fatal(err)
		}
		places := packagesOf(prefix)
		if len(places) == 0 || places[0].Path != capi {
			t.Errorf("%s: looked at %+v", layout, places)
		}
	}
	if places := packagesOf(t.TempDir()); len(places) != 0 {
		t.Errorf("an empty prefix: looked at %+v", places)
	}
}

func TestCheckVersion(t *testing.T) {
	for v, good := range map[string]bool{"1.24.0": true, "1.27.0": true, "1.100.2": true, "1.23.9": false, "1.9.0": false, "2.0.0": false, "new": false, "": false} {
		if err := checkVersion(v); (err == nil) != good {
			t.Errorf("version %q: %v", v, err)
		}
	}
}

func TestParseDevice(t *testing.T) {
	for s, want := range map[string]device{"": {cuda: true}, "auto": {cuda: true}, "cpu": {}, "cuda": {true, true, 0}, "cuda:3": {true, true, 3}} {
		if got, err := parseDevice(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"} {
		if _, err := parseDevice(s); fault.Of(err) != fault.Usage {
			t.Errorf("%q: error %v", s, err)
		}
	}
}

// libc is a real shared library that is not ONNX Runtime.
func libc(t *testing.T) string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		if i := strings.IndexByte(lines.Text(), '/'); i >= 0 && strings.Contains(lines.Text(), "libc.so") {
			return lines.Text()[i:]
		}
	}
	t.Skip("this program loads no libc")
	return ""
}

func firstBytes(t *testing.T, path string, n int) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b[:min(n, len(b))]
}

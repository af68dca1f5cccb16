//go:build nvidia && linux && amd64

package cudnn

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const wheel = "lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9"

func make9(t *testing.T, root, rel string) string {
	t.Helper()
	path := filepath.Join(root, rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The library is looked for wherever ONNX Runtime is.
func TestPathsAreThoseOfPython(t *testing.T) {
	venv, conda, other, bin := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	want := []string{"libcudnn.so.9", make9(t, venv, wheel), make9(t, conda, wheel), filepath.Join(conda, "lib/libcudnn.so.9"), make9(t, other, wheel)}
	script := "#!/bin/sh\necho " + filepath.Join(other, "lib/python3.12/site-packages") + "\n"
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VIRTUAL_ENV", venv)
	t.Setenv("CONDA_PREFIX", conda)
	t.Setenv("PATH", bin)
	if got := Paths(); !slices.Equal(got, want) {
		t.Errorf("looked at\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTwoVersionsInOneFolderAreTold(t *testing.T) {
	root := t.TempDir()
	path := make9(t, root, wheel)
	packages := filepath.Join(root, "lib/python3.12/site-packages")
	make9(t, packages, "nvidia_cudnn_cu12-9.10.2.21.dist-info/METADATA")
	if told := Mixed(path); told != "" {
		t.Errorf("one version is told as %q", told)
	}
	make9(t, packages, "nvidia_cudnn_cu13-9.28.1.4.dist-info/METADATA")
	told := Mixed(path)
	for _, part := range []string{"nvidia-cudnn-cu12 9.10.2.21", "nvidia-cudnn-cu13 9.28.1.4", "pip uninstall nvidia-cudnn-cu12 nvidia-cudnn-cu13"} {
		if !strings.Contains(told, part) {
			t.Errorf("%q doesn't say %q", told, part)
		}
	}
}

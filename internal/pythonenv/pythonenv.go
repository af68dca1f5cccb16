// Package pythonenv finds files of Python packages: where pip and conda put the
// native libraries that moncae uses, ONNX Runtime and cuDNN.
//
// Nothing is imported. Active looks at folders alone; Interpreter starts python3
// once a call, which takes some 30 ms.
package pythonenv

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Place is a file or folder, there or not, and how it came to be looked at.
type Place struct{ Why, Path string }

// Active are the places of rel, a path below site-packages, in the environments
// that the shell has activated: VIRTUAL_ENV, then CONDA_PREFIX. One for each at
// least, so that a report can say where it was missed.
func Active(rel string) []Place {
	var ps []Place
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		root := os.Getenv(name)
		if root == "" {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(Escape(root), "lib", "python3*", "site-packages", rel)) // the pattern is well-formed
		if len(found) == 0 {
			found = []string{filepath.Join(root, "Lib", "site-packages", rel)}
		}
		for _, f := range found {
			ps = append(ps, Place{"Python environment " + name, f})
		}
	}
	return ps
}

// Interpreter are the places where the python3 on the path would find rel: its
// site-packages, the user's, Debian's, and what .pth files add. None where there
// is no such interpreter, or none of them has it.
func Interpreter(rel string) []Place {
	const where = "import sys; print('\\n'.join(p for p in sys.path if p))" // not the working directory
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "python3", "-c", where).Output()
	if err != nil {
		return nil
	}
	var ps []Place
	for folder := range strings.Lines(string(out)) {
		path := filepath.Join(strings.TrimSpace(folder), rel)
		if _, err := os.Stat(path); err == nil {
			ps = append(ps, Place{"Python", path})
		}
	}
	return ps
}

// Escape makes a folder's name safe for a pattern.
func Escape(dir string) string {
	if runtime.GOOS == "windows" {
		return dir
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

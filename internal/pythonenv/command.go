package pythonenv

import (
	"os"
	"os/exec"
	"path/filepath"

	"moncae/internal/fault"
)

// Command is the Python that moncae's package is imported by: MONCAE_PYTHON, which the
// package sets; else the one beside this program, which pip puts it to; else python3.
func Command() (string, error) {
	if given := os.Getenv("MONCAE_PYTHON"); given != "" {
		return given, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, name := range []string{"python3", "python", "python.exe"} {
		if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return beside, nil
		}
	}
	for _, name := range []string{"python3", "python"} {
		if found, err := exec.LookPath(name); err == nil {
			return found, nil
		}
	}
	return "", fault.Missingf("there is no python3 on the path; MONCAE_PYTHON can name one")
}

//go:build nvidia && linux && amd64

package driver

import (
	"errors"
	"os"
	"testing"
)

// TestInit holds on every machine: a driver starts, or the error names the
// library that is missing.
func TestInit(t *testing.T) {
	err := Init()
	if errors.Is(err, ErrNoDriver) && os.Getenv("MONCAE_TEST_FAKE_CUDA") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	devices, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if d.Name == "" || d.Memory <= 0 || d.Multiprocessors <= 0 {
			t.Errorf("device %+v: a field is missing", d)
		}
	}
}

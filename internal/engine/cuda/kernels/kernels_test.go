package kernels

import (
	"regexp"
	"strings"
	"testing"
)

var atomic = regexp.MustCompile(`(?m)^\s*(@!?%p\d+\s+)?(atom|red)\.`)

// TestPTX: the code is for the oldest device and driver that the docs name, CUDA 12.1's,
// and sums nothing in an order that a device chooses.
func TestPTX(t *testing.T) {
	for name, code := range PTX() {
		for _, want := range []string{".version 8.1\n", ".target sm_80\n", ".visible .entry "} {
			if !strings.Contains(code, want) {
				t.Errorf("%s.ptx lacks %q", name, want)
			}
		}
		if found := atomic.FindString(code); found != "" {
			t.Errorf("%s.ptx has %s", name, strings.TrimSpace(found))
		}
	}
	for _, line := range []string{"\tred.global.add.f32 [%rd1], %f1;", "\t@%p3 atom.global.add.f32 %f2, [%rd1], %f1;"} {
		if !atomic.MatchString(line) {
			t.Errorf("%q isn't seen as atomic", line)
		}
	}
}

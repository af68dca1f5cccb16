//go:build onednn && cgo

package onednn

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"moncae/internal/engine"
	"moncae/internal/engine/onednn/native"
)

// oneDNN's own limit holds for the project's kernels too, so that a processor with
// more instructions can stand for one with less. In processes of their own, for the
// limit is read once.
func TestALimitHoldsForEveryKernel(t *testing.T) {
	const child = "MONCAE_TEST_LIMIT"
	if want := os.Getenv(child); want != "" {
		if got := native.ISA(); got != want {
			t.Fatalf("the kernels are those for %s", got)
		}
		if slices.Contains(precisions(), engine.BFloat16) {
			t.Error("bfloat16 is left")
		}
		stepAgainstTapeMachine(t, want)
		return
	}
	defer native.UseISA(native.ISA())
	for limit, want := range map[string]string{"AVX2": "avx2", "SSE41": "generic"} {
		if !native.UseISA(want) {
			t.Logf("this processor has no %s", want)
			continue
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestALimitHoldsForEveryKernel$", "-test.v")
		cmd.Env = append(os.Environ(), child+"="+want, "ONEDNN_MAX_CPU_ISA="+limit)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("limited to %s: %v\n%s", limit, err, out)
		}
	}
}

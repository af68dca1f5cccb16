//go:build onednn && cgo && linux

package onednn

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
	"moncae/internal/train"
)

// TestRefusedMemoryCostsOneCandidate: where the system refuses a network its memory,
// that one has failed, with the cause, and the next trains. In a process of its own,
// for its limit can't be raised again.
func TestRefusedMemoryCostsOneCandidate(t *testing.T) {
	const child = "MONCAE_TEST_LIMITED"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRefusedMemoryCostsOneCandidate$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	eng, err := New()
	if err != nil {
		t.Fatal(err)
	}
	a := arch.Arch{
		Input:   arch.Shape{C: 1, H: 64, W: 64},
		Encoder: arch.Stack{{Kind: arch.Conv, Filters: 64, Kernel: 3, Stride: 1}},
		Decoder: arch.Stack{{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}},
	}
	const rows = 4100
	data, err := eng.Load(engine.Source{Shape: a.Input, Images: make([]uint8, rows*a.Input.Values())})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int32, rows)
	for i := range all {
		all[i] = int32(i)
	}
	fit := func(batch int) train.Outcome {
		out, err := train.Autoencoder(context.Background(), eng, data, a,
			arch.Recipe{Optimizer: arch.Adam, LearningRate: 1e-3, Schedule: arch.Constant},
			train.Options{Epochs: 1, Batch: batch, Loss: graph.BCE, Train: all[:max(batch, 8)], Validation: all[:2]})
		if err != nil {
			t.Fatalf("batches of %d: %v", batch, err)
		}
		return out
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		t.Skip(err)
	}
	limit.Cur = addressSpace(t) + 512<<20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		t.Skip(err)
	}
	// 4096·64·64·64 values of a layer's output take 4 GiB.
	if out := fit(4096); !strings.Contains(out.Failure, "out of memory") || out.Weights != nil {
		t.Errorf("beyond the limit: %q", out.Failure)
	}
	if out := fit(4); out.Failure != "" || out.Weights == nil {
		t.Errorf("after it: %q", out.Failure)
	}
}

// addressSpace is what the process has mapped, in bytes.
func addressSpace(t *testing.T) uint64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages := uint64(0)
	for _, c := range strings.Fields(string(b))[0] {
		pages = 10*pages + uint64(c-'0')
	}
	return pages * uint64(os.Getpagesize())
}

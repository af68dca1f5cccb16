//go:build nvidia && linux && amd64

package cuda

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"moncae/internal/engine/cuda/driver"
	"moncae/internal/engine/cuda/plan"
	"moncae/internal/fault"
)

// TestChoose: all devices of the first one's model are taken, or those that are named; what
// is too old, isn't there, or differs is said.
func TestChoose(t *testing.T) {
	found := []driver.Device{
		{Ordinal: 0, Name: "A", Major: 9}, {Ordinal: 1, Name: "B", Major: 8, Minor: 6}, {Ordinal: 2, Name: "A", Major: 9}, {Ordinal: 3, Name: "old", Major: 7, Minor: 5},
	}
	for _, c := range []struct {
		ordinals, want []int
		kind           fault.Kind
		says           string
	}{
		{want: []int{0, 2}},
		{ordinals: []int{1}, want: []int{1}},
		{ordinals: []int{3}, kind: fault.Missing, says: "device 3 (old) has compute capability 7.5; 8.0 (Ampere) or newer is needed"},
		{ordinals: []int{4}, kind: fault.Missing, says: "device 4 is not here"},
		{ordinals: []int{-1}, kind: fault.Missing, says: "device -1 is not here"},
		{ordinals: []int{0, 1}, kind: fault.Usage, says: "devices 0 (A) and 1 (B) differ"},
	} {
		chosen, err := choose(found, c.ordinals)
		if c.says != "" {
			if err == nil || fault.Of(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("of %v: %v, want %q", c.ordinals, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, d := range chosen {
			got = append(got, d.Ordinal)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("of %v: %v, want %v", c.ordinals, got, c.want)
		}
	}
}

// TestWaitsSleep: a thread that waits for the device leaves its processor to others, after
// a fault, too. The fake driver refuses every wait that wouldn't.
func TestWaitsSleep(t *testing.T) {
	j := newJob(t, openFake(t))
	sleeps := func(when string) {
		flags, _, err := j.engine.(*single).device.info.ID().PrimaryCtxState()
		if err != nil || flags&cu.SchedBlockingSync == 0 {
			t.Errorf("%s: the context's flags are %b (%v), want %b", when, flags, err, cu.SchedBlockingSync)
		}
	}
	sleeps("at first")
	t.Setenv("MONCAE_FAKE_KERNEL", "adam:4")
	j.must(t)
	sleeps("after a fault")
}

// TestHandlesKeepNoStream: a handle of cuDNN goes from program to program, and each program's
// stream goes with it. The fake refuses to make a plan by a handle whose stream is gone.
func TestHandlesKeepNoStream(t *testing.T) {
	j := newJob(t, openFake(t))
	d := j.engine.(*single).device
	if d.library == nil {
		t.Skip("no cuDNN")
	}
	j.must(t)
	if len(d.handles) == 0 {
		t.Fatal("no handle was kept")
	}
	for _, h := range d.handles {
		unseen := plan.Problem{Geometry: plan.Geometry{N: 2, H: 6, W: 6, C: 20, YH: 6, YW: 6, O: 20, Kernel: 3, Stride: 1}, Exact: true}
		if err := d.do(func() error { _, err := h.Plan(unseen); return err }); err != nil {
			t.Errorf("a handle of an ended program: %v", err)
		}
	}
}

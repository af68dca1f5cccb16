//go:build onednn && cgo && linux

package onednn

import (
	"runtime"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/onednn/heapcount"
	"moncae/internal/graph"
)

// calls tries four training steps of each of archs, when a first call is over. All
// run on one thread: libraries take memory when they first run on another.
func calls(t *testing.T, try func(t *testing.T, train func())) {
	for name, a := range archs {
		t.Run(name, func(t *testing.T) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			net, err := graph.Autoencoder(a, 5, graph.BCE, 77)
			if err != nil {
				t.Fatal(err)
			}
			p := compile(t, net, images(a.Input, 20, 3), engine.Config{Optimizer: arch.Adam, Weights: weights(net.Params, 5)})
			rows, rates, losses := make([]int32, 20), make([]float32, 4), make([]float32, 4)
			for i := range rows {
				rows[i] = int32(i)
			}
			train := func() {
				if err := p.Train(rows, rates, losses); err != nil {
					t.Fatal(err)
				}
			}
			train()
			try(t, train)
		})
	}
}

func TestTrainAllocatesNothingInGo(t *testing.T) {
	calls(t, func(t *testing.T, train func()) {
		if n := testing.AllocsPerRun(10, train); n > 0 {
			t.Errorf("four steps allocate %v times", n)
		}
	})
}

// oneDNN makes a table of the arguments of each primitive that it runs, and this
// can't be helped; all else that a step needs must be in the program's block.
func TestTrainAllocatesNothingInC(t *testing.T) {
	if n := heapcount.During(heapcount.TakeOne); n.Others != 1 {
		t.Fatalf("one allocation is counted as %+v", n)
	}
	tables := 0
	calls(t, func(t *testing.T, train func()) {
		n := heapcount.During(train)
		if n.Others > 0 {
			t.Errorf("four steps allocate %d times", n.Others)
		}
		tables += n.OneDNN
	})
	if tables == 0 {
		t.Error("oneDNN's own allocations are not seen, so others might not be")
	}
}

func TestStepsAreOneCall(t *testing.T) {
	calls(t, func(t *testing.T, train func()) {
		before := runtime.NumCgoCall()
		train()
		if n := runtime.NumCgoCall() - before; n != 1 {
			t.Errorf("four steps make %d calls into C", n)
		}
	})
}

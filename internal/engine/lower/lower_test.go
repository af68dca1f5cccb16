package lower

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

func TestPlacedBlocksOfOneTimeDoNotOverlap(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		align := 1 << r.IntN(13)
		blocks := make([]Block, 3+r.IntN(40))
		for i := range blocks {
			first := r.IntN(60)
			blocks[i] = Block{Bytes: 1 + r.IntN(50_000), First: first, Last: first + r.IntN(20)}
		}
		offsets, total := Place(blocks, align)
		sum, largest := 0, 0
		for i, a := range blocks {
			sum += roundUp(a.Bytes, align)
			if offsets[i]%align != 0 || offsets[i]+a.Bytes > total {
				t.Fatalf("seed %d: block %d of %d bytes at %d of %d", seed, i, a.Bytes, offsets[i], total)
			}
			for j, b := range blocks[:i] {
				if a.First <= b.Last && b.First <= a.Last && offsets[i] < offsets[j]+b.Bytes && offsets[j] < offsets[i]+a.Bytes {
					t.Fatalf("seed %d: blocks %d and %d live at the same time and overlap", seed, i, j)
				}
			}
		}
		for step := range 80 {
			now := 0
			for _, b := range blocks {
				if b.First <= step && step <= b.Last {
					now += b.Bytes
				}
			}
			largest = max(largest, now)
		}
		if total > sum || total < largest {
			t.Fatalf("seed %d: %d bytes; the blocks have %d together and %d at one time", seed, total, sum, largest)
		}
	}
}

func TestLayoutPutsTrainedParametersFirst(t *testing.T) {
	params := []arch.Param{
		{Name: "mean", Shape: []int{3}, Role: arch.Mean}, {Name: "weight", Shape: []int{2, 3}, Role: arch.Weight},
		{Name: "variance", Shape: []int{3}, Role: arch.Variance}, {Name: "gamma", Shape: []int{3}, Role: arch.Gamma},
	}
	for align, want := range map[int]Layout{
		1: {Offset: map[string]int{"weight": 0, "gamma": 6, "mean": 9, "variance": 12}, Trained: 9, Total: 15},
		4: {Offset: map[string]int{"weight": 0, "gamma": 8, "mean": 12, "variance": 16}, Trained: 12, Total: 20},
	} {
		got := NewLayout(params, align)
		if got.Trained != want.Trained || got.Total != want.Total {
			t.Errorf("align %d: %d trained of %d, want %d of %d", align, got.Trained, got.Total, want.Trained, want.Total)
		}
		for name, at := range want.Offset {
			if got.Offset[name] != at {
				t.Errorf("align %d: %s at %d, want %d", align, name, got.Offset[name], at)
			}
		}
	}
}

// example has a norm on the input, whose gradient nobody needs, and one inside.
func example(t *testing.T) *graph.Net {
	t.Helper()
	a := arch.Arch{
		Input: arch.Shape{C: 1, H: 4, W: 4},
		Encoder: arch.Stack{{Kind: arch.BatchNorm}, {Kind: arch.Conv, Filters: 2, Kernel: 3, Stride: 1},
			{Kind: arch.Activate, Activation: arch.SiLU}, {Kind: arch.BatchNorm}, {Kind: arch.MaxPool}},
		Decoder: arch.Stack{{Kind: arch.Upsample, To: &[2]int{4, 4}}, {Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1}},
	}
	net, err := graph.Autoencoder(a, 2, graph.MSE, 1)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func TestNormsAreJoined(t *testing.T) {
	net := example(t)
	g, err := Train(net)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Norms) != 2 {
		t.Fatalf("%d norms, the network has 2", len(g.Norms))
	}
	for x, n := range g.Norms {
		if first := x == net.Train.Input; first != (n.GradInput == nil) {
			t.Errorf("norm of %v has the gradient of its input %v", x, n.GradInput)
		}
		for name, node := range map[string]*gorgonia.Node{n.Gamma: n.GradGamma, n.Beta: n.GradBeta} {
			if net.Train.Grads[name] != node {
				t.Errorf("%s has the gradient %v, the graph says %v", name, node, net.Train.Grads[name])
			}
		}
		for _, name := range []string{n.Mean, n.Variance} {
			if stat := net.Train.Stats[name]; stat == nil || g.In(stat)[0] != x {
				t.Errorf("%q is no average of %v's statistics", name, x)
			}
		}
		if g.NormBelow(n.DY) != n {
			t.Errorf("the gradient %v leads to another norm", n.DY)
		}
	}
}

func TestUsersAreThoseThatReadAValue(t *testing.T) {
	net := example(t)
	g, err := Train(net)
	if err != nil {
		t.Fatal(err)
	}
	if g.Loss.Number != 1 || len(g.Users(g.Loss.Logits)) != 2 || lossNumber(g.Loss.Grad.Op()) != 1 {
		t.Errorf("loss %+v of a network that minimises MSE", g.Loss)
	}
	seen := map[*gorgonia.Node]bool{}
	for _, n := range g.Order {
		for _, u := range g.Users(n) {
			if seen[u] {
				t.Errorf("%v stands before its operand %v", u, n)
			}
		}
		seen[n] = true
		switch n.Op().(type) {
		case ops.Activation: // SiLU's gradient reads what went in
			if g.User(n, isGrad) != nil || g.User(g.In(n)[0], isGrad) == nil {
				t.Errorf("the gradient of %v reads its output, not its input", n)
			}
		case ops.MaxPool2: // its gradient reads where the maxima were
			if g.User(n, isPoolGrad) != nil || g.User(g.In(n)[0], isPoolGrad) != nil {
				t.Errorf("the gradient of %v reads values", n)
			}
		}
	}
	infer := Infer(net)
	if !infer.Kept(net.Infer.Latent) || !infer.Kept(net.Infer.Logits) {
		t.Error("latent and logits are not kept")
	}
	if _, _, ok := Sole[ops.Upsample2](infer, net.Infer.Latent); ok {
		t.Error("the latent would go into a step with what reads it")
	}
}

func isGrad(o gorgonia.Op) bool {
	_, ok := o.(ops.ActivationGrad)
	return ok
}

func isPoolGrad(o gorgonia.Op) bool {
	_, ok := o.(ops.MaxPool2Grad)
	return ok
}

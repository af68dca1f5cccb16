package plan

import (
	"testing"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// TestCosts holds a small step against sums by hand: what each launch must read and write,
// and products forward and back, without the gradient of the images.
func TestCosts(t *testing.T) {
	conv := func(filters int) arch.Layer {
		return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: 3, Stride: 1}
	}
	a := arch.Arch{Input: arch.Shape{C: 1, H: 6, W: 5}, Encoder: arch.Stack{conv(16)}, Decoder: arch.Stack{conv(1)}}
	const batch, pixels = 7, 7 * 30
	net, err := graph.Autoencoder(a, batch, graph.MSE, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(net, Options{Optimizer: arch.SGD})
	if err != nil {
		t.Fatal(err)
	}
	var bytes, macs int64
	for _, c := range p.Costs() {
		bytes, macs = bytes+c.Bytes, macs+c.MACs
	}
	if want := batch * (3*a.FLOPs() - a.Encoder[:1].FLOPs(a.Input)); macs != want {
		t.Errorf("%d multiply-adds, want %d", macs, want)
	}
	// Images are gathered, and read by the first convolution, its weight's gradient and the
	// loss; so are latents (by two, and their gradient by one), logits, and theirs.
	least := int64(4 * pixels * (1 + 1 + 16 + 16 + 1 + 1 + 1 + 1 + 1 + 16 + 16 + 1 + 1 + 16))
	if bytes < least || bytes > 2*least {
		t.Errorf("%d bytes, want %d and the parts of sums, which depend on the blocks", bytes, least)
	}
}

package plan

import (
	"slices"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// block is what the search's genomes decode to.
func block(filters int) arch.Stack {
	return arch.Stack{
		{Kind: arch.Conv, Filters: filters, Kernel: 3, Stride: 1}, {Kind: arch.BatchNorm}, {Kind: arch.Activate, Activation: arch.ReLU},
	}
}

func TestFusionLeavesOneStepForEachPass(t *testing.T) {
	a := arch.Arch{
		Input:   arch.Shape{C: 1, H: 8, W: 8},
		Encoder: append(block(8), arch.Layer{Kind: arch.MaxPool}),
		Decoder: append(append(block(16), arch.Layer{Kind: arch.Upsample, To: &[2]int{8, 8}}),
			append(block(16), arch.Layer{Kind: arch.Conv, Filters: 1, Kernel: 3, Stride: 1})...),
	}
	train, infer := lowered(t, a)
	expect(t, train, []string{
		"input 1×8×8",
		"conv 1→8 3×3/1 at 8×8", "point norm activation pool 8×8×8",
		"conv 8→16 3×3/1 at 4×4", "point norm activation 16×4×4",
		"upsample and conv 16→16 3×3/1 at 8×8", "point norm activation 16×8×8",
		"conv 16→1 3×3/1 at 8×8", "loss 1×8×8",
		"conv grad weight 16→1 3×3/1 at 8×8", "conv grad input 16→1 3×3/1 at 8×8",
		"point grad norm activation 16×8×8", "upsample and conv grad 16→16 3×3/1 at 8×8",
		"point grad norm activation 16×4×4", "conv grad weight 8→16 3×3/1 at 4×4", "conv grad input 8→16 3×3/1 at 4×4",
		"point grad norm activation pool 8×8×8", "conv grad weight 1→8 3×3/1 at 8×8",
	})
	expect(t, infer, []string{
		"input 1×8×8", "conv 1→8 3×3/1 at 8×8", "point pool 8×8×8", "conv 8→16 3×3/1 at 4×4",
		"upsample and conv 16→16 3×3/1 at 8×8", "conv 16→1 3×3/1 at 8×8",
	})
	if infer.Latent == None || infer.Logits == None {
		t.Error("the inference has no latent or no logits")
	}
}

// A network that ends in something else than a convolution has logits that are
// made in bfloat16; the loss reads float32.
func TestLogitsAreFloat32(t *testing.T) {
	in := arch.Shape{C: 2, H: 4, W: 4}
	conv := arch.Layer{Kind: arch.Conv, Filters: 2, Kernel: 3, Stride: 1}
	for want, end := range map[string]arch.Stack{
		"conv 2→2 3×3/1 at 4×4":              {conv},
		"upsample and conv 8→2 3×3/1 at 4×4": {{Kind: arch.Conv, Filters: 8, Kernel: 3, Stride: 2}, {Kind: arch.Upsample, To: &[2]int{4, 4}}, conv},
		"widen 2×4×4":                        {conv, {Kind: arch.Add}},
	} {
		net, err := graph.Autoencoder(arch.Arch{Input: in, Encoder: arch.Stack{conv}, Decoder: end}, 2, graph.BCE, 1)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Train(net, NewLayout(net.Params), Options{Images: true, BF16: true})
		if err != nil {
			t.Fatal(err)
		}
		loss := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Kind == LossGrad })
		if got := p.Describe(loss - 1); got != want || p.Tensors[p.Steps[loss].X].Width != 4 {
			t.Errorf("the loss reads %d bytes a value, of the step %q, want 4 of %q", p.Tensors[p.Steps[loss].X].Width, got, want)
		}
		if grad := p.Tensors[p.Steps[loss].DX].Width; grad != 2 {
			t.Errorf("the way back begins with %d bytes a value, want 2", grad)
		}
	}
}

// A transposed convolution has its passes exchanged; its bias is added by the norm behind it, or
// with the activation.
func TestTransposedConvolutions(t *testing.T) {
	transposed := func(filters, side int) arch.Layer {
		return arch.Layer{Kind: arch.Transpose, Filters: filters, Kernel: 5, To: &[2]int{side, side}}
	}
	a := arch.Arch{
		Input:   arch.Shape{C: 1, H: 8, W: 8},
		Encoder: arch.Stack{{Kind: arch.Conv, Filters: 3, Kernel: 3, Stride: 2}, {Kind: arch.Conv, Filters: 4, Kernel: 3, Stride: 2}},
		Decoder: arch.Stack{transposed(8, 4), {Kind: arch.BatchNorm}, {Kind: arch.Activate, Activation: arch.ReLU}, transposed(1, 8), {Kind: arch.Activate, Activation: arch.ELU}},
	}
	train, infer := lowered(t, a)
	expect(t, train, []string{
		"input 1×8×8", "conv 1→3 3×3/2 at 4×4", "conv 3→4 3×3/2 at 2×2",
		"transposed, by conv grad input 8→4 5×5/2 at 2×2", "point norm activation 8×4×4",
		"transposed, by conv grad input 1→8 5×5/2 at 4×4", "point activation 1×8×8", "loss 1×8×8", "point grad activation 1×8×8",
		"transposed, by conv grad weight 1→8 5×5/2 at 4×4", "bias grad 1×8×8", "transposed, by conv 1→8 5×5/2 at 4×4",
		"point grad norm activation 8×4×4",
		"transposed, by conv grad weight 8→4 5×5/2 at 2×2", "bias grad 8×4×4", "transposed, by conv 8→4 5×5/2 at 2×2",
		"conv grad weight 3→4 3×3/2 at 2×2", "conv grad input 3→4 3×3/2 at 2×2", "conv grad weight 1→3 3×3/2 at 4×4",
	})
	expect(t, infer, []string{
		"input 1×8×8", "conv 1→3 3×3/2 at 4×4", "conv 3→4 3×3/2 at 2×2",
		"transposed, by conv grad input 8→4 5×5/2 at 2×2", "point norm activation 8×4×4",
		"transposed, by conv grad input 1→8 5×5/2 at 4×4", "point activation 1×8×8",
	})
}

func lowered(t *testing.T, a arch.Arch) (train, infer *Plan) {
	t.Helper()
	net, err := graph.Autoencoder(a, 4, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLayout(net.Params)
	if train, err = Train(net, l, Options{Images: true}); err != nil {
		t.Fatal(err)
	}
	if infer, err = Infer(net, l, Options{Images: true}); err != nil {
		t.Fatal(err)
	}
	return train, infer
}

func expect(t *testing.T, p *Plan, want []string) {
	t.Helper()
	for i := range max(len(p.Steps), len(want)) {
		got, wanted := "nothing", "nothing"
		if i < len(p.Steps) {
			got = p.Describe(i)
		}
		if i < len(want) {
			wanted = want[i]
		}
		if got != wanted {
			t.Errorf("step %d is %q, want %q", i, got, wanted)
		}
	}
}

func TestAutoencoderOfFeaturesIsRefused(t *testing.T) {
	a := arch.Arch{Input: arch.Shape{C: 1, H: 2, W: 2}, Encoder: block(1), Decoder: block(1)}
	net, err := graph.Autoencoder(a, 1, graph.BCE, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Train(net, NewLayout(net.Params), Options{}); err == nil {
		t.Error("an autoencoder of features was lowered; its loss compares with bytes")
	}
}

package graph

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"moncae/internal/arch"
	"moncae/internal/ops"
)

func example() arch.Arch {
	conv := func(filters, stride int) arch.Layer {
		return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: 3, Stride: stride}
	}
	drop := func(rate float64) arch.Layer { return arch.Layer{Kind: arch.Dropout, Rate: rate} }
	return arch.Arch{
		Input: arch.Shape{C: 2, H: 5, W: 4},
		Encoder: arch.Stack{
			conv(3, 1), {Kind: arch.BatchNorm}, {Kind: arch.Activate, Activation: arch.ReLU}, drop(0.1), drop(0),
			conv(3, 1), {Kind: arch.Add, From: 3}, {Kind: arch.MaxPool},
		},
		Decoder: arch.Stack{drop(0.3), conv(2, 1), {Kind: arch.Upsample, To: &[2]int{5, 4}}, conv(2, 1)},
	}
}

func build(t *testing.T) *Net {
	t.Helper()
	net, err := Autoencoder(example(), 3, BCE, 77)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// kinds are the ops of a graph by their types' names, in the order of nodes.
func kinds(g *gorgonia.ExprGraph) (names []string) {
	for _, n := range g.AllNodes() {
		if n.Op() != nil {
			names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", n.Op()), "ops."))
		}
	}
	return names
}

func TestTraining(t *testing.T) {
	net := build(t)
	if net.Latent != (arch.Shape{C: 3, H: 3, W: 2}) || net.Output != net.Input || net.Batch != 3 {
		t.Errorf("latent %v, output %v, batch %d", net.Latent, net.Output, net.Batch)
	}
	tr := net.Train
	if tr.Target != tr.Input || tr.Step == nil || !tr.Loss.IsScalar() {
		t.Errorf("target %v, step %v, loss %v", tr.Target, tr.Step, tr.Loss)
	}
	trained := 0
	for _, p := range net.Params {
		if !p.Trained() {
			if s := tr.Stats[p.Name]; s == nil || !slices.Equal(s.Shape(), p.Shape) {
				t.Errorf("no statistic for %s", p.Name)
			}
			continue
		}
		trained++
		node, grad := tr.Params[p.Name], tr.Grads[p.Name]
		if node == nil || grad == nil || node.Name() != p.Name {
			t.Fatalf("%s: node %v, gradient %v", p.Name, node, grad)
		}
		if !slices.Equal(node.Shape(), p.Shape) || !slices.Equal(grad.Shape(), p.Shape) {
			t.Errorf("%s has shape %v; node %v, gradient %v", p.Name, p.Shape, node.Shape(), grad.Shape())
		}
	}
	if len(tr.Params) != trained || len(tr.Grads) != trained || len(tr.Stats) != len(net.Params)-trained {
		t.Errorf("%d parameters, %d gradients, %d statistics for %d trained of %d", len(tr.Params), len(tr.Grads), len(tr.Stats), trained, len(net.Params))
	}
}

// TestOpsAreOurs: a training graph holds ops of package ops, one constant (the
// loss's own gradient, 1) and Gorgonia's sum where the residual forks.
func TestOpsAreOurs(t *testing.T) {
	sums, others := 0, 0
	for _, n := range build(t).Train.Graph.AllNodes() {
		switch {
		case n.Op() == nil:
		case ops.IsGradientSum(n):
			sums++
		case !strings.HasPrefix(fmt.Sprintf("%T", n.Op()), "ops."):
			others++
		}
	}
	if sums != 1 || others != 1 {
		t.Errorf("%d sums of gradients and %d other foreign ops", sums, others)
	}
}

func TestDropoutLayersAreNumbered(t *testing.T) {
	var got []ops.Dropout
	for _, n := range build(t).Train.Graph.AllNodes() {
		if d, ok := n.Op().(ops.Dropout); ok {
			got = append(got, d)
		}
	}
	want := []ops.Dropout{{Rate: 0.1, Layer: 0, Seed: 77}, {Rate: 0.3, Layer: 2, Seed: 77}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v: rate 0 counts but makes no node", got, want)
	}
	a := example()
	a.Encoder[3].Rate, a.Decoder[0].Rate = 0, 0
	net, err := Autoencoder(a, 3, MSE, 77)
	if err != nil {
		t.Fatal(err)
	}
	if net.Train.Step != nil {
		t.Error("a step input without dropout")
	}
}

// TestNoiseIsOfTrainingsInput: what is compared with, and inference, are clean.
func TestNoiseIsOfTrainingsInput(t *testing.T) {
	net, err := Denoiser(example(), 3, BCE, 0.25, 77)
	if err != nil {
		t.Fatal(err)
	}
	var noise []*gorgonia.Node
	for _, n := range net.Train.Graph.AllNodes() {
		if _, ok := n.Op().(ops.Noise); ok {
			noise = append(noise, n)
		}
	}
	if len(noise) != 1 || noise[0].Op() != gorgonia.Op(ops.Noise{Sigma: 0.25, Layer: 1<<32 - 1, Seed: 77}) || net.Denoise != 0.25 {
		t.Errorf("noise %v of sigma %v", noise, net.Denoise)
	}
	if net.Train.Target != net.Train.Input || net.Train.Step == nil {
		t.Errorf("target %v, step %v", net.Train.Target, net.Train.Step)
	}
	for _, kind := range kinds(net.Infer.Graph) {
		if kind == "Noise" {
			t.Error("noise in inference")
		}
	}
	for _, sigma := range []float64{-0.1, math.NaN(), math.Inf(1)} {
		if _, err := Denoiser(example(), 3, BCE, sigma, 77); err == nil || !strings.Contains(err.Error(), "above 0") {
			t.Errorf("sigma %v: %v", sigma, err)
		}
	}
}

func TestInference(t *testing.T) {
	f := build(t).Infer
	want := []string{"Conv2D", "Normalize", "Activation", "Conv2D", "Add", "MaxPool2", "Conv2D", "Upsample2", "Conv2D"}
	if got := kinds(f.Graph); !slices.Equal(got, want) {
		t.Errorf("ops %v, want %v", got, want)
	}
	if len(f.Params) != len(example().Params()) {
		t.Errorf("%d parameters", len(f.Params))
	}
	if !slices.Equal(f.Latent.Shape(), []int{3, 3, 3, 2}) || !slices.Equal(f.Logits.Shape(), []int{3, 2, 5, 4}) {
		t.Errorf("latent %v, logits %v", f.Latent.Shape(), f.Logits.Shape())
	}
}

// TestWeightGradientsComeFirst: nodes are in the order of their making, and
// engines run them so: an input can die before its gradient is born.
func TestWeightGradientsComeFirst(t *testing.T) {
	names := kinds(build(t).Train.Graph)
	weight, input := 0, 0
	for _, name := range names {
		switch name {
		case "Conv2DGradWeight":
			weight++
		case "Conv2DGradInput":
			if input++; input > weight {
				t.Fatalf("an input's gradient before its weights': %v", names)
			}
		}
	}
	if weight != 4 || input != 4 {
		t.Errorf("%d gradients of weights and %d of inputs for 4 convolutions", weight, input)
	}
}

func TestClassifier(t *testing.T) {
	head := arch.Stack{{Kind: arch.Dense, Filters: 6}, {Kind: arch.Activate, Activation: arch.ReLU}, {Kind: arch.Dense, Filters: 4}}
	net, err := Classifier(arch.Shape{C: 2, H: 3, W: 3}, head, 4, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	if net.Params[0].Name != "head.0.weight" || net.Infer.Latent != nil || net.Latent != (arch.Shape{}) || net.Loss != CrossEntropy {
		t.Errorf("parameters %v, latent %v, loss %v", net.Params, net.Latent, net.Loss)
	}
	if net.Train.Target == net.Train.Input || !slices.Equal(net.Train.Target.Shape(), []int{5}) {
		t.Errorf("target %v", net.Train.Target)
	}
}

func TestErrors(t *testing.T) {
	autoencoder := func(change func(*arch.Arch), batch int, loss Loss) error {
		a := example()
		change(&a)
		_, err := Autoencoder(a, batch, loss, 1)
		return err
	}
	same := func(*arch.Arch) {}
	classifier := func(in arch.Shape, s arch.Stack, classes int) error {
		_, err := Classifier(in, s, classes, 2, 1)
		return err
	}
	in, dense := arch.Shape{C: 1, H: 2, W: 2}, arch.Stack{{Kind: arch.Dense, Filters: 3}}
	for want, err := range map[string]error{
		"graph: batch of 0":                         autoencoder(same, 0, BCE),
		`graph: loss "xent"`:                        autoencoder(same, 1, CrossEntropy),
		"graph: encoder: layer 0: conv":             autoencoder(func(a *arch.Arch) { a.Encoder[0].Kernel = 2 }, 1, BCE),
		"graph: training: the network has no param": autoencoder(func(a *arch.Arch) { a.Encoder, a.Decoder = nil, nil }, 1, BCE),
		"its output is 3×1×1, 4 classes take 4×1×1": classifier(in, dense, 4),
		"every side must be at least 1":             classifier(arch.Shape{}, dense, 3),
		"head: layer 0":                             classifier(in, arch.Stack{{Kind: "flatten"}}, 3),
		"of at least 2":                             classifier(in, arch.Stack{{Kind: arch.Dense, Filters: 1}}, 1),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

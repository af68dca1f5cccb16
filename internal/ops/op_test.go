package ops

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
)

func shapes(s ...[]int) (in []gorgonia.DimSizer) {
	for _, v := range s {
		in = append(in, tensor.Shape(v))
	}
	return in
}

// TestShapeErrors: what doesn't fit is refused, with the op and the shapes named.
func TestShapeErrors(t *testing.T) {
	x := []int{2, 3, 5, 4}
	for _, c := range []struct {
		op   gorgonia.Op
		in   []gorgonia.DimSizer
		want string
	}{
		{Conv2D{3, 1}, shapes(x, []int{4, 2, 3, 3}, []int{4}), "they take 2 channels, it has 3"},
		{Conv2D{3, 1}, shapes(x, []int{4, 3, 5, 5}, []int{4}), "kernel of 3×3"},
		{Conv2D{3, 1}, shapes(x, []int{4, 3, 3, 3}, []int{5}), "5 biases for 4 filters"},
		{Conv2D{2, 1}, shapes(x, []int{4, 3, 2, 2}, []int{4}), "a kernel is odd"},
		{Conv2D{3, 0}, shapes(x, []int{4, 3, 3, 3}, []int{4}), "stride 0"},
		{Conv2D{3, 1}, shapes(x, []int{4, 3, 3, 3}), "2 inputs, it takes 3"},
		{Conv2D{3, 1}, shapes(x, []int{4, 3, 3}, []int{4}), "it takes 4 axes"},
		{Conv2DGradInput{3, 2, [4]int{2, 3, 5, 4}}, shapes([]int{4, 3, 3, 3}, []int{2, 4, 2, 2}), "gradient (2, 4, 2, 2)"},
		{Conv2DGradInput{3, 2, [4]int{2, 3, 5, 4}}, shapes([]int{4, 2, 3, 3}, []int{2, 4, 3, 2}), "they take 2 channels"},
		{Conv2DGradWeight{3, 2}, shapes(x, []int{2, 4, 5, 4}), "gradient (2, 4, 5, 4)"},
		{ConvTranspose2D{3, 9, 8}, shapes(x, []int{3, 2, 3, 3}, []int{3}), "3 biases for 2 filters"},
		{ConvTranspose2D{3, 11, 8}, shapes(x, []int{3, 2, 3, 3}, []int{2}), "gradient (2, 3, 5, 4), the output's shape is (2, 3, 6, 4)"},
		{ConvTranspose2D{5, 9, 8}, shapes(x, []int{3, 2, 3, 3}, []int{2}), "kernel of 5×5"},
		{ConvTranspose2DGradInput{3}, shapes([]int{3, 2, 3, 3}, []int{2, 3, 9, 8}), "they take 2 channels, it has 3"},
		{ConvTranspose2DGradWeight{3}, shapes(x, []int{2, 4, 5, 4}), "gradient (2, 3, 5, 4)"},
		{Dense{}, shapes(x, []int{4, 59}, []int{4}), "they take 59 values, it has 60"},
		{Dense{}, shapes(x, []int{4, 60}, []int{3}), "3 biases for 4 outputs"},
		{DenseGradInput{[4]int{2, 3, 5, 4}}, shapes([]int{4, 60}, []int{2, 5, 1, 1}), "gradient"},
		{DenseGradWeight{}, shapes(x, []int{3, 4, 1, 1}), "gradient"},
		{BatchNorm{}, shapes(x, []int{3}, []int{2}), "2 values for the 3 channels"},
		{BatchNormGradInput{}, shapes(x, []int{3}, []int{2, 3, 4, 5}), "they must be one"},
		{BatchNormGradGamma{}, shapes(x, []int{2, 3, 4, 5}), "they must be one"},
		{Normalize{}, shapes(x, []int{3}, []int{3}, []int{3}, []int{4}), "4 values for the 3 channels"},
		{Activation{"tanh"}, shapes(x), `activation "tanh" is unknown`},
		{ActivationGrad{arch.ReLU}, shapes(x, x, []int{2, 3, 4, 5}), "they must be one"},
		{Dropout{Rate: 1}, shapes(x, nil), "rate 1 is not in [0, 1)"},
		{Dropout{Rate: math.NaN()}, shapes(x, nil), "rate NaN"},
		{Noise{Sigma: 0}, shapes(x, nil), "sigma 0 is not a number above 0"},
		{Noise{Sigma: math.NaN()}, shapes(x, nil), "sigma NaN"},
		{Noise{Sigma: math.Inf(1)}, shapes(x, nil), "sigma +Inf"},
		{DropoutGrad{Rate: -1}, shapes(x, nil), "rate -1"},
		{MaxPool2Grad{}, shapes(x, []int{2, 3, 2, 2}, []int{2, 3, 2, 2}), "must be (2, 3, 3, 2)"},
		{Upsample2{4, 4}, shapes(x), "not a doubling"},
		{Upsample2{0, 8}, shapes(x), "not a doubling"},
		{Add{}, shapes(x, []int{2, 3, 4, 5}), "they must be one"},
		{BCEWithLogits{}, shapes(x, []int{2, 3, 4, 5}), "they must be one"},
		{MSE{}, shapes(x, []int{2, 3, 4, 5}), "they must be one"},
		{Blend{SSIM: 1}, shapes(x, []int{2, 3, 4, 5}), "they must be one"},
		{SoftmaxCrossEntropy{}, shapes(x, []int{2}), "logits are [N,K,1,1]"},
		{SoftmaxCrossEntropyGrad{}, shapes([]int{2, 3, 1, 1}, []int{3}, nil), "labels [N]"},
	} {
		_, err := c.op.InferShape(c.in...)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.op.String()) {
			t.Errorf("%v of %v: %v, want the op and %q", c.op, c.in, err, c.want)
		}
	}
}

// TestHashes: ops that differ in one field alone hash differently, for Gorgonia
// merges nodes whose ops hash alike.
func TestHashes(t *testing.T) {
	all := []gorgonia.Op{
		Conv2D{3, 1}, Conv2D{5, 1}, Conv2D{3, 2},
		Conv2DGradInput{3, 1, [4]int{1, 2, 3, 4}}, Conv2DGradInput{3, 1, [4]int{1, 2, 3, 5}}, Conv2DGradInput{3, 2, [4]int{1, 2, 3, 4}}, Conv2DGradInput{5, 1, [4]int{1, 2, 3, 4}},
		Conv2DGradWeight{3, 1}, Conv2DGradWeight{5, 1}, Conv2DGradWeight{3, 2},
		ConvTranspose2D{3, 6, 8}, ConvTranspose2D{5, 6, 8}, ConvTranspose2D{3, 5, 8}, ConvTranspose2D{3, 6, 7},
		ConvTranspose2DGradInput{3}, ConvTranspose2DGradInput{5}, ConvTranspose2DGradWeight{3}, ConvTranspose2DGradWeight{5},
		ChannelSum{ConvBias}, ChannelSum{NormBeta}, ChannelSum{DenseBias},
		Dense{}, DenseGradInput{[4]int{1, 2, 3, 4}}, DenseGradInput{[4]int{2, 2, 3, 4}}, DenseGradWeight{},
		BatchNorm{}, BatchNormGradInput{}, BatchNormGradGamma{}, BatchMean{}, BatchVariance{}, Normalize{},
		Activation{arch.ReLU}, Activation{arch.ELU}, ActivationGrad{arch.ReLU}, ActivationGrad{arch.ELU},
		Dropout{0.1, 2, 3}, Dropout{0.2, 2, 3}, Dropout{0.1, 3, 3}, Dropout{0.1, 2, 4}, Dropout{0.1, 2, 3 + 1<<40},
		DropoutGrad{0.1, 2, 3}, DropoutGrad{0.2, 2, 3}, DropoutGrad{0.1, 3, 3}, DropoutGrad{0.1, 2, 4},
		Noise{0.1, 2, 3}, Noise{0.2, 2, 3}, Noise{0.1, 3, 3}, Noise{0.1, 2, 4},
		MaxPool2{}, MaxPool2Grad{}, Upsample2{4, 5}, Upsample2{5, 4}, Upsample2{4, 4}, Upsample2Grad{}, Add{},
		BCEWithLogits{}, BCEWithLogitsGrad{}, MSE{}, MSEGrad{}, Blend{0, 1, 2}, Blend{1, 0, 2}, BlendGrad{0, 1, 2}, BlendGrad{0, 2, 1}, SoftmaxCrossEntropy{}, SoftmaxCrossEntropyGrad{},
	}
	seen := map[uint32]gorgonia.Op{}
	for _, op := range all {
		if other, ok := seen[op.Hashcode()]; ok {
			t.Errorf("%v and %v have one hash", op, other)
		}
		seen[op.Hashcode()] = op
	}
}

func input(g *gorgonia.ExprGraph, name string, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

func TestApply(t *testing.T) {
	g := gorgonia.NewGraph()
	x := input(g, "x", 1, 2, 3, 4)
	if _, err := Apply(Activation{arch.ReLU}, x); err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(Activation{arch.ReLU}, x); err == nil || !strings.Contains(err.Error(), "merged") {
		t.Errorf("the same op on the same node: %v", err)
	}
	if _, err := Apply(Upsample2{9, 9}, x); err == nil || !strings.Contains(err.Error(), "doubling") {
		t.Errorf("a shape that doesn't fit: %v", err)
	}
	if _, err := Apply(Add{}); err == nil {
		t.Error("no inputs: no error")
	}
}

// TestIsGradientSum: in the backward graph of a residual there is one sum of
// gradients, and nothing else is taken for one.
func TestIsGradientSum(t *testing.T) {
	g := gorgonia.NewGraph()
	x, w, b := input(g, "x", 2, 2, 3, 4), input(g, "w", 2, 2, 3, 3), input(g, "b", 2)
	h, err := Apply(Conv2D{3, 1}, x, w, b)
	if err != nil {
		t.Fatal(err)
	}
	y, err := Apply(Activation{arch.SiLU}, h)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Apply(Add{}, y, h)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := Apply(MSE{}, sum, x)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gorgonia.Grad(loss, w, b); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, n := range g.AllNodes() {
		if IsGradientSum(n) {
			found++
			if n.Op().Arity() != 2 || !equal(n.Shape(), h.Shape()) {
				t.Errorf("%v of shape %v", n, n.Shape())
			}
		}
	}
	if found != 1 || IsGradientSum(sum) {
		t.Errorf("%d sums of gradients, there is one", found)
	}
	difference, err := gorgonia.Sub(y, h)
	if err != nil {
		t.Fatal(err)
	}
	if IsGradientSum(difference) || IsGradientSum(x) {
		t.Error("a difference, or an input, is taken for a sum")
	}
}

func TestPoolTies(t *testing.T) {
	x := array{tensor.Shape{1, 1, 2, 2}, []float32{-1, 7, 7, 7}}
	f := fixture{MaxPool2{}, []array{x}}
	if dx := f.symbolic(t, []float32{5})[0]; dx[0] != 0 || dx[1] != 5 || dx[2] != 0 || dx[3] != 0 {
		t.Errorf("gradient %v, the first maximum takes it all", dx)
	}
	x.v[2] = float32(math.NaN())
	if y := f.forward(t); !math.IsNaN(float64(y[0])) {
		t.Errorf("maximum of a window with a NaN is %v", y[0])
	}
}

// TestDropout: the gradient passes where the value passed, scaled alike, and
// another step, layer or seed is another mask.
func TestDropout(t *testing.T) {
	ones := fill([]int{2, 3, 4, 5}, func(int) float64 { return 1 })
	mask := func(op Dropout, step float32) []float32 {
		return fixture{op, []array{ones, {tensor.ScalarShape(), []float32{step}}}}.forward(t)
	}
	base := Dropout{0.4, 1, 9}
	want := mask(base, 3)
	for i, g := range (fixture{base, []array{ones, {tensor.ScalarShape(), []float32{3}}}}).symbolic(t, ones.v)[0] {
		if g != want[i] || g != 0 && g != float32(1/0.6) {
			t.Fatalf("value %d passes %v, its gradient %v", i, want[i], g)
		}
	}
	for name, other := range map[string][]float32{
		"step": mask(base, 4), "layer": mask(Dropout{0.4, 2, 9}, 3), "seed": mask(Dropout{0.4, 1, 9 + 1<<32}, 3),
	} {
		same := 0
		for i := range other {
			if other[i] == want[i] {
				same++
			}
		}
		if same > len(other)*4/5 {
			t.Errorf("another %s changes %d values of %d", name, len(other)-same, len(other))
		}
	}
}

package arch

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

var example = Arch{
	Input:   Shape{2, 5, 4},
	Encoder: Stack{{Kind: Conv, Filters: 3, Kernel: 3, Stride: 2}, {Kind: BatchNorm}, {Kind: Activate, Activation: ReLU}},
	Decoder: Stack{
		{Kind: Conv, Filters: 2, Kernel: 1, Stride: 1}, {Kind: Activate, Activation: Sigmoid},
		{Kind: Upsample, To: &[2]int{5, 4}}, {Kind: Conv, Filters: 2, Kernel: 3, Stride: 1},
	},
}

// TestParams: names, order and shapes are what files and engines keep.
func TestParams(t *testing.T) {
	want := `encoder.0.weight [3 2 3 3]
encoder.0.bias [3]
encoder.1.gamma [3]
encoder.1.beta [3]
encoder.1.mean [3]
encoder.1.variance [3]
decoder.0.weight [2 3 1 1]
decoder.0.bias [2]
decoder.3.weight [2 2 3 3]
decoder.3.bias [2]
`
	var got strings.Builder
	for _, p := range example.Params() {
		fmt.Fprintln(&got, p.Name, p.Shape)
	}
	if got.String() != want {
		t.Errorf("parameters\n%swant\n%s", got.String(), want)
	}
	if n := example.ParamCount(); n != 54+3+3+3+6+2+36+2 {
		t.Errorf("%d trained parameters", n)
	}
	head := Stack{{Kind: Dense, Filters: 7}, {Kind: Activate, Activation: SiLU}, {Kind: Dense, Filters: 4}}.Params("head", Shape{2, 5, 4})
	if len(head) != 4 || head[0].Name != "head.0.weight" || fmt.Sprint(head[0].Shape, head[2].Shape) != "[7 40] [4 7]" {
		t.Errorf("head: %v", head)
	}
}

// TestSpread: He before the relu family, also with a batch norm between; Glorot
// before a sigmoid or nothing.
func TestSpread(t *testing.T) {
	want := map[string]float64{
		"encoder.0.weight": math.Sqrt(2.0 / 18),
		"decoder.0.weight": math.Sqrt(2.0 / (3 + 2)),
		"decoder.3.weight": math.Sqrt(2.0 / (18 + 18)),
	}
	for _, p := range example.Params() {
		if p.Spread != want[p.Name] {
			t.Errorf("%s: spread %v, want %v", p.Name, p.Spread, want[p.Name])
		}
	}
}

func TestInitialWeights(t *testing.T) {
	params := load(t, "medium").Params()
	w := InitialWeights(params, 5)
	if err := w.Check(params); err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		var sum, squares float64
		for _, v := range w[p.Name] {
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		n := float64(p.Size())
		switch p.Role {
		case Weight: // mean and deviation within five of their own deviations
			if mean := sum / n; math.Abs(mean) > 5*p.Spread/math.Sqrt(n) {
				t.Errorf("%s: mean %v of %v values", p.Name, mean, n)
			}
			if d := math.Sqrt(squares/n) / p.Spread; math.Abs(d-1) > 5/math.Sqrt(2*n) {
				t.Errorf("%s: deviation is %v of its spread", p.Name, d)
			}
		case Gamma, Variance:
			if sum != n || squares != n {
				t.Errorf("%s is not 1", p.Name)
			}
		default:
			if squares != 0 {
				t.Errorf("%s is not 0", p.Name)
			}
		}
	}
	name := params[0].Name
	alone := InitialWeights(params[:1], 5)[name]
	other := InitialWeights(params[:1], 6)[name]
	if alone[0] != w[name][0] || alone[1] != w[name][1] || other[0] == alone[0] {
		t.Errorf("a tensor's weights: %v alone, %v among others, %v by another seed", alone[0], w[name][0], other[0])
	}
}

// TestInitialWeightsStay: a change of the generator would change every run.
func TestInitialWeightsStay(t *testing.T) {
	w := InitialWeights(example.Params(), 42)["decoder.0.weight"]
	want := []float32{-1.2878963, -0.26571998, 0.1643329, -0.24279602, 0.02672273, 1.4377254}
	for i := range want {
		if w[i] != want[i] {
			t.Fatalf("weights %v, they were %v", w, want)
		}
	}
}

func TestWeightsCheck(t *testing.T) {
	params := example.Params()
	w := InitialWeights(params, 1)
	c := w.Clone()
	c["encoder.0.bias"][0] = 9
	if w["encoder.0.bias"][0] != 0 {
		t.Error("a clone shares memory")
	}
	c["encoder.0.bias"] = c["encoder.0.bias"][1:]
	if err := c.Check(params); err == nil || !strings.Contains(err.Error(), "encoder.0.bias has 2 values") {
		t.Errorf("a short tensor: %v", err)
	}
	delete(c, "encoder.0.bias")
	if err := c.Check(params); err == nil || !strings.Contains(err.Error(), "encoder.0.bias is missing") {
		t.Errorf("a missing tensor: %v", err)
	}
	w["other"] = nil
	if err := w.Check(params); err == nil || !strings.Contains(err.Error(), "11 tensors, the network has 10") {
		t.Errorf("one tensor too many: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	recipe := Recipe{Adam, 0.001, Constant}
	base := Identity(example, recipe)
	if base != Identity(example, recipe) || len(base) != 64 {
		t.Errorf("identity %q is not stable", base)
	}
	wider := example
	wider.Encoder = append(Stack{}, example.Encoder...)
	wider.Encoder[0].Kernel = 5
	seen := map[string]bool{base: true}
	for i, other := range []string{
		Identity(wider, recipe), Identity(example, Recipe{SGD, 0.001, Constant}),
		Identity(example, Recipe{Adam, 0.002, Constant}), Identity(example, Recipe{Adam, 0.001, Cosine}),
	} {
		if seen[other] {
			t.Errorf("case %d has the identity of another", i)
		}
		seen[other] = true
	}
}

func TestRecipeValidate(t *testing.T) {
	for _, c := range []struct {
		r    Recipe
		want string
	}{
		{Recipe{Adam, 0.001, OneCycle}, ""},
		{Recipe{"newton", 0.001, OneCycle}, `optimizer "newton"`},
		{Recipe{SGD, 0.001, "step"}, `schedule "step"`},
		{Recipe{SGD, 0, Cosine}, "learning rate 0"},
		{Recipe{SGD, math.NaN(), Cosine}, "learning rate NaN"},
		{Recipe{SGD, 11, Cosine}, "learning rate 11"},
	} {
		err := c.r.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.r, err, c.want)
		}
	}
}

package ops

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
)

type recordedArray struct {
	Shape  []int
	Values []float32
}

func (a recordedArray) array() array { return array{a.Shape, a.Values} }

type recorded struct {
	Op     string
	Fields struct {
		Kernel, Stride, H, W int
		Activation           arch.Activation
	}
	Inputs     []recordedArray
	Output, Dy recordedArray
	Gradients  []recordedArray
	Target     []float32
}

func (r recorded) op() gorgonia.Op {
	switch r.Op {
	case "conv":
		return Conv2D{r.Fields.Kernel, r.Fields.Stride}
	case "conv_transpose":
		return ConvTranspose2D{r.Fields.Kernel, r.Fields.H, r.Fields.W}
	case "dense":
		return Dense{}
	case "batch_norm":
		return BatchNorm{}
	case "activation":
		return Activation{r.Fields.Activation}
	case "max_pool":
		return MaxPool2{}
	case "upsample":
		return Upsample2{r.Fields.H, r.Fields.W}
	case "bce":
		return BCEWithLogits{}
	case "mse":
		return MSE{}
	case "xent":
		return SoftmaxCrossEntropy{}
	}
	return nil
}

// TestOpsAreJAX compares values and gradients with those that JAX recorded in
// float64 (testdata/ops.py). Ours sum in float64 too, and round to float32 once
// or twice: 2⁻²² of the largest value of a tensor.
func TestOpsAreJAX(t *testing.T) {
	b, err := os.ReadFile("testdata/ops.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Cases []recorded }
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Cases) < 40 {
		t.Fatalf("%d cases", len(doc.Cases))
	}
	for i, c := range doc.Cases {
		t.Run(fmt.Sprint(i, " ", c.Op), func(t *testing.T) {
			f := fixture{op: c.op()}
			for _, in := range c.Inputs {
				f.inputs = append(f.inputs, in.array())
			}
			if c.Target != nil {
				shape := c.Inputs[0].Shape
				if c.Op == "xent" {
					shape = shape[:1]
				}
				f.inputs = append(f.inputs, array{shape, c.Target})
			}
			near(t, "output", f.forward(t), c.Output.Values)
			for k, g := range f.symbolic(t, c.Dy.Values)[:len(c.Gradients)] {
				near(t, fmt.Sprint("gradient of input ", k), g, c.Gradients[k].Values)
			}
		})
	}
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= max(largest, 1e-3)/(1<<22)) {
			t.Errorf("%s[%d] is %v, JAX has %v", what, i, got[i], want[i])
		}
	}
}

// TestStatistics: Normalize by the batch's own statistics is BatchNorm, for its
// epsilon is the same; mean and variance are those of the textbook.
func TestStatistics(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := fill([]int{3, 2, 3, 5}, func(int) float64 { return 3 + 2*r.NormFloat64() })
	gamma, beta := fill([]int{2}, func(i int) float64 { return 1 + float64(i) }), fill([]int{2}, func(i int) float64 { return -float64(i) })
	mean := array{tensor.Shape{2}, fixture{BatchMean{}, []array{x}}.forward(t)}
	variance := array{tensor.Shape{2}, fixture{BatchVariance{}, []array{x}}.forward(t)}
	for c := range 2 {
		var sum, squares float64
		for n := range 3 {
			for _, v := range x.plane(n, c) {
				sum += float64(v) / 45
				squares += float64(v) * float64(v) / 45
			}
		}
		if d := math.Abs(float64(mean.v[c]) - sum); d > 1e-6 {
			t.Errorf("mean of channel %d is %v, want %v", c, mean.v[c], sum)
		}
		if d := math.Abs(float64(variance.v[c]) - (squares - sum*sum)); d > 1e-5 {
			t.Errorf("variance of channel %d is %v, want %v", c, variance.v[c], squares-sum*sum)
		}
	}
	train := fixture{BatchNorm{}, []array{x, gamma, beta}}.forward(t)
	infer := fixture{Normalize{}, []array{x, gamma, beta, mean, variance}}.forward(t)
	for i := range train {
		if d := math.Abs(float64(train[i] - infer[i])); d > 2e-6 {
			t.Errorf("value %d: %v in training, %v outside", i, train[i], infer[i])
		}
	}
}

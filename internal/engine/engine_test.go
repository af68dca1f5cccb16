package engine

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/graph"
)

// TestOptimizersAreKeras compares every step with what Keras recorded
// (testdata/optimizers.py). Keras computes in float32, with a few roundings of
// the weight a step: 2⁻²⁰ of it is allowed. The largest rounding within a step
// is that of Adam's 1 − 0.999ᵗ, which in float32 is off by up to 2⁻²⁵/0.001, and
// its root by half of that: 2⁻¹⁵ of the way that a weight has gone is allowed.
func TestOptimizersAreKeras(t *testing.T) {
	b, err := os.ReadFile("testdata/optimizers.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Start     []float32
		Gradients [][]float32
		Rules     map[arch.Optimizer]struct {
			Rates   []float32
			Weights [][]float32
		}
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Rules) != 5 {
		t.Fatalf("%d rules in the fixture, there are 5", len(doc.Rules))
	}
	for rule, recorded := range doc.Rules {
		w := append([]float32(nil), doc.Start...)
		o, err := NewOptimizer(rule, len(w))
		if err != nil {
			t.Fatal(err)
		}
		before, way := append([]float32(nil), w...), make([]float64, len(w))
		for i, g := range doc.Gradients {
			o.Step(w, g, recorded.Rates[i])
			for k, want := range recorded.Weights[i] {
				way[k] += math.Abs(float64(w[k] - before[k]))
				before[k] = w[k]
				tolerance := math.Abs(float64(want))/(1<<20) + way[k]/(1<<15)
				if d := math.Abs(float64(w[k] - want)); !(d <= tolerance) {
					t.Errorf("%s step %d: weight %d is %v, Keras has %v", rule, i, k, w[k], want)
				}
			}
		}
	}
	if _, err := NewOptimizer("newton", 1); err == nil {
		t.Error("an unknown rule makes no error")
	}
}

func TestAverage(t *testing.T) {
	start := []float32{5, -1}
	a, got := NewAverage(start), make([]float32, 2)
	start[0] = 0
	a.Read(got)
	if got[0] != 5 || got[1] != -1 {
		t.Errorf("before any batch: %v, it started with 5 and -1", got)
	}
	for range 3 { // the average of equal values is that value, however few
		a.Add([]float32{2, 0.25})
		a.Read(got)
		if math.Abs(float64(got[0]-2)) > 1e-6 || math.Abs(float64(got[1]-0.25)) > 1e-7 {
			t.Errorf("of 2 and 0.25 alone: %v", got)
		}
	}
	b := NewAverage([]float32{9})
	b.Add([]float32{1})
	b.Add([]float32{3})
	b.Read(got[:1]) // (0.9·0.1·1 + 0.1·3)/(1 − 0.81)
	if want := 0.39 / 0.19; math.Abs(float64(got[0])-want) > 1e-6 {
		t.Errorf("of 1 and 3: %v, want %v", got[0], want)
	}
}

func TestMeter(t *testing.T) {
	m := NewMeter(&graph.Net{Loss: graph.MSE, Blend: graph.Blend{MSE: 1}, Output: arch.Shape{C: 1, H: 1, W: 2}})
	if got := m.Metrics(); got != (Metrics{}) {
		t.Errorf("of nothing: %+v", got)
	}
	m.Image([]float32{0, 0}, []float32{1, 0.5})
	m.Image([]float32{float32(math.Log(3)), -1000}, []float32{0, 0}) // σ = 3/4 and 0
	got := m.Metrics()
	bce, mse := (2*math.Log(2)+math.Log(4)+0)/4, (0.25+0+0.5625+0)/4
	if math.Abs(got.BCE-bce) > 1e-7 || math.Abs(got.MSE-mse) > 1e-7 || got.Loss != got.MSE {
		t.Errorf("%+v, want BCE %v, MSE %v", got, bce, mse)
	}
	c := NewMeter(&graph.Net{Loss: graph.CrossEntropy})
	c.Class([]float32{0, 0, 0, 0}, 0) // the first of equals
	c.Class([]float32{0, 0, 0, 0}, 3)
	c.Class([]float32{-5, 2000, 1, 1}, 1)
	got = c.Metrics()
	if want := 2 * math.Log(4) / 3; math.Abs(got.Loss-want) > 1e-12 || got.Accuracy != 2.0/3 || got.BCE != 0 {
		t.Errorf("%+v, want loss %v and accuracy 2/3", got, want)
	}
}

func TestClassesTellTheirDifference(t *testing.T) {
	a := Info{Name: "onednn", Version: "3.9", Model: "A", ISA: "avx2", Device: "A (avx2)", Workers: 2}.Class("")
	b := Info{Name: "onednn", Version: "3.9", Model: "A", ISA: "avx2", Device: "2 × A", Workers: 4}.Class(Float32)
	if d := a.Difference(b); d != "" || a != b {
		t.Errorf("the number of devices makes a difference: %s", d)
	}
	c := Info{Name: "onednn", Version: "3.10", Model: "A", ISA: "avx512"}.Class(BFloat16)
	if got, want := a.Difference(c), "version 3.9, here 3.10; instruction set avx2, here avx512; precision f32, here bf16"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSourceRow(t *testing.T) {
	s := Source{Shape: arch.Shape{C: 1, H: 1, W: 2}, Images: []uint8{0, 1, 128, 255}}
	row := make([]float32, 2)
	s.Row(row, 1)
	if s.Rows() != 2 || row[0] != float32(128)/float32(255) || row[1] != 1 {
		t.Errorf("row 1 of %d is %v", s.Rows(), row)
	}
	s = Source{Shape: s.Shape, Features: []float32{1, 2, 3, -4}}
	s.Row(row, 1)
	if row[0] != 3 || row[1] != -4 {
		t.Errorf("features %v", row)
	}
}

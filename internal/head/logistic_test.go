package head

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"moncae/internal/arch"
)

// fixture is what scikit-learn said; internal/score/testdata/fixture.py writes it.
type fixture struct {
	X            []float32
	Y            []int32
	Weight, Bias []float64
}

func readFixture(t *testing.T) (f fixture) {
	t.Helper()
	b, err := os.ReadFile("testdata/logistic.json")
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// near fails where got is farther from want than tolerance.
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, wanted is %v ± %v", what, got, want, tolerance)
	}
}

// The optimum is scikit-learn's, from wherever the solver starts.
func TestLogisticFindsScikitLearnsOptimum(t *testing.T) {
	f := readFixture(t)
	x := Examples{Shape: arch.Shape{C: 6, H: 1, W: 1}, Features: f.X, Labels: f.Y}
	for _, from := range []float32{0, 0.7} {
		w, b := make([]float32, 24), make([]float32, 4)
		for i := range w {
			w[i] = from * float32(i%5-2)
		}
		steps, err := solveLogistic(context.Background(), x, w, b)
		if err != nil {
			t.Fatal(err)
		}
		if steps == 0 {
			t.Error("no step was taken")
		}
		// A gradient of 1e-5 in a mean over 240 rows with a curvature of at least
		// 1/240 leaves 1e-5·240 of each weight open.
		for i, v := range w {
			near(t, "weight", float64(v), f.Weight[i], 2.4e-3)
		}
		mean := 0.0
		for _, v := range f.Bias {
			mean += v / 4
		}
		for i, v := range b { // the biases' common part is free
			near(t, "bias", float64(v)-(float64(b[0]+b[1]+b[2]+b[3])/4), f.Bias[i]-mean, 5e-3)
		}
	}
}

func TestLogisticStopsWithItsContext(t *testing.T) {
	f := readFixture(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	x := Examples{Shape: arch.Shape{C: 6, H: 1, W: 1}, Features: f.X, Labels: f.Y}
	if _, err := solveLogistic(ctx, x, make([]float32, 24), make([]float32, 4)); err == nil {
		t.Error("a cancelled context was ignored")
	}
}

package head

import (
	"context"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/fixture"
)

// fixtures is what scikit-learn said; internal/score/testdata/fixture.py writes it.
type fixtures struct {
	X            []float32
	Y            []int32
	Weight, Bias []float64
}

func readFixture(t *testing.T) (f fixtures) {
	t.Helper()
	fixture.Read(t, "testdata/logistic.json", &f)
	return f
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
			fixture.Near(t, "weight", float64(v), f.Weight[i], 2.4e-3)
		}
		mean := 0.0
		for _, v := range f.Bias {
			mean += v / 4
		}
		for i, v := range b { // the biases' common part is free
			fixture.Near(t, "bias", float64(v)-(float64(b[0]+b[1]+b[2]+b[3])/4), f.Bias[i]-mean, 5e-3)
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

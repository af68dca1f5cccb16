package ref_test

import (
	"encoding/json"
	"os"
	"testing"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/engine/enginetest"
	"moncae/internal/engine/ref"
	"moncae/internal/graph"
)

func TestEngine(t *testing.T) {
	open := func(*testing.T) engine.Engine { return ref.New() }
	enginetest.Run(t, open, enginetest.Tolerances{Allocates: true, Networks: 40})
}

// BenchmarkTrain is a step of the small network at batch 16.
func BenchmarkTrain(b *testing.B) {
	text, err := os.ReadFile("../../arch/testdata/small.json")
	if err != nil {
		b.Fatal(err)
	}
	var a arch.Arch
	if err := json.Unmarshal(text, &a); err != nil {
		b.Fatal(err)
	}
	const batch = 16
	net, err := graph.Autoencoder(a, batch, graph.BCE, 1)
	if err != nil {
		b.Fatal(err)
	}
	e := ref.New()
	data, err := e.Load(engine.Source{Shape: a.Input, Images: make([]uint8, batch*a.Input.Values())})
	if err != nil {
		b.Fatal(err)
	}
	p, err := e.Compile(net, data, engine.Config{Optimizer: arch.Adam, Weights: arch.InitialWeights(net.Params, 1)})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]int32, batch)
	for i := range rows {
		rows[i] = int32(i)
	}
	for b.Loop() {
		if err := p.Train(rows, []float32{0.001}, make([]float32, 1)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "images/s")
}

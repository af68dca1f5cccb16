// Package latency measures how long a network takes for one image in ONNX Runtime: a
// batch of one, one thread, encoder and decoder together, after runs that warm it up.
//
// A figure is the median of rounds, each the mean of as many runs as fill a few
// milliseconds; it belongs to this machine and to what else runs on it, so it is never
// kept in a run. A network takes some 50 ms to measure.
package latency

import (
	"time"

	"moncae/internal/arch"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/stats"
)

const (
	rounds = 7
	round  = 3 * time.Millisecond
	warm   = 3 // runs
)

// Of is the time of a network for one image, by ONNX Runtime on the CPU.
func Of(a arch.Arch, w arch.Weights, library string) (took time.Duration, err error) {
	nets, err := onnxnet.Build(a, w, onnx.Float)
	if err != nil {
		return 0, err
	}
	s, err := ort.OpenModel(nets.Autoencoder, ort.Options{Library: library, Device: "cpu", Threads: 1})
	if err != nil {
		return 0, err
	}
	defer func() {
		if e := s.Close(); err == nil {
			err = e
		}
	}()
	in, out := make([]float32, a.Input.Values()), make([]float32, a.Input.Values())
	shape := []int64{1, int64(a.Input.C), int64(a.Input.H), int64(a.Input.W)}
	run := func() error {
		return s.Run([]ort.Tensor{ort.Floats(in, shape...)}, []ort.Tensor{ort.Floats(out, shape...)})
	}
	for range warm {
		if err := run(); err != nil {
			return 0, err
		}
	}
	var seconds []float64
	for range rounds {
		runs, begin := 0, time.Now()
		for runs == 0 || time.Since(begin) < round {
			if err := run(); err != nil {
				return 0, err
			}
			runs++
		}
		seconds = append(seconds, time.Since(begin).Seconds()/float64(runs))
	}
	return time.Duration(stats.Median(seconds) * float64(time.Second)), nil
}

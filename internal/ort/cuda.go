//go:build cgo

package ort

import (
	"errors"
	"log/slog"
	"strconv"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"moncae/internal/fault"
	"moncae/internal/onnx"
)

// appendCUDA asks for the GPU. TF32 stays off: results are float32's.
func appendCUDA(options *ort.SessionOptions, index int) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer func() { _ = cuda.Destroy() }() // fails only where it was destroyed before
	err = cuda.Update(map[string]string{
		"device_id":                 strconv.Itoa(index),
		"use_tf32":                  "0",
		"cudnn_conv_algo_search":    "HEURISTIC",
		"arena_extend_strategy":     "kSameAsRequested",
		"do_copy_in_default_stream": "1",
	})
	if err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}

// CheckCUDA tells why the library can't run models on the first GPU, in ONNX
// Runtime's own words; nil where it can. A model with one convolution is run, for
// the provider loads cuDNN only when it needs it.
func CheckCUDA(library string) (err error) {
	s, err := OpenModel(oneConvolution(), Options{Library: library, Device: "cuda", Name: "a convolution"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var y [1]float32
	if err := s.Run([]Tensor{Floats([]float32{1, 2, 3, 4}, 1, 1, 2, 2)}, []Tensor{Floats(y[:], 1, 1, 1, 1)}); err != nil {
		return fault.Missingf("%w", err)
	}
	if y[0] != 30 {
		return fault.Missingf("a convolution on the GPU gives %v, and should give 30", y[0])
	}
	return nil
}

// oneConvolution sums the products of 1, 2, 3, 4 and a 2×2 image.
func oneConvolution() *onnx.Model {
	g := onnx.NewGraph("check")
	g.Input(onnx.Value{Name: "x", Type: onnx.Float, Dims: []int64{1, 1, 2, 2}})
	w := g.Floats("w", onnx.Float, []int64{1, 1, 2, 2}, []float32{1, 2, 3, 4})
	g.Node("Conv", "y", []string{"x", w})
	g.Output(onnx.Value{Name: "y", Type: onnx.Float, Dims: []int64{1, 1, 1, 1}})
	return g.Model("check", nil)
}

var fallback sync.Once

// reportFallback says once in a process why device auto has become the CPU.
func reportFallback(reason error) {
	fallback.Do(func() {
		slog.Warn("ONNX Runtime can't use the GPU and runs on the CPU", "reason", reason)
	})
}

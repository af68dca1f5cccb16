//go:build cgo

package ort

import (
	"errors"
	"log/slog"
	"os"
	"strconv"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"moncae/internal/fault"
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

// CheckCUDA tells why the library that Load has loaded can't run models on the
// first GPU, in ONNX Runtime's own words; nil where it can.
func CheckCUDA(library string) (err error) {
	if _, _, err := Load(library); err != nil {
		return err
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	if err := appendCUDA(options, 0); err != nil {
		return fault.Missingf("%w", err)
	}
	return nil
}

// driverFiles are there where an NVIDIA driver is.
var driverFiles = []string{"/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"}

// nvidiaPresent tells whether the machine has an NVIDIA driver, so that a
// machine without one isn't bothered with reasons why CUDA doesn't work.
func nvidiaPresent() bool {
	for _, path := range driverFiles {
		if _, err := os.Stat(path); err == nil {
			return true
		}
	}
	return false
}

var fallback sync.Once

// reportFallback says once in a process why device auto has become the CPU.
func reportFallback(reason error) {
	fallback.Do(func() {
		slog.Warn("ONNX Runtime can't use the GPU and runs on the CPU", "reason", reason)
	})
}

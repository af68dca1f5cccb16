// Package kernels holds what the CUDA engine launches in a training step against the
// least that any device like the model's needs for it (model_test.go), by its tests.
// Nothing of this is a measurement: the kernels' PTX runs on the CPU, and is counted.
package kernels

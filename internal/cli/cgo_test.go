//go:build cgo

package cli

const withCgo = true // the build can load ONNX Runtime

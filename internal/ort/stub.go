//go:build !cgo

package ort

import (
	"moncae/internal/fault"
	"moncae/internal/onnx"
)

var errNoCgo = fault.Missingf("this moncae was built without cgo (CGO_ENABLED=0) and can't load ONNX Runtime; build it with a C compiler and CGO_ENABLED=1 (make)")

// Session is a model ready to run; a build without cgo has none.
type Session struct{}

// Load tells that a build without cgo can't load the library.
func Load(string) (path, version string, err error) { return "", "", errNoCgo }

// LoadFor tells the same.
func LoadFor(string, string) (path, version string, err error) { return "", "", errNoCgo }

// CheckCUDA tells the same.
func CheckCUDA(string) error { return errNoCgo }

// OpenModel tells the same.
func OpenModel(*onnx.Model, Options) (*Session, error) { return nil, errNoCgo }

// Inputs is never called, for there is no session.
func (*Session) Inputs() []onnx.Value { panic(errNoCgo) }

// Outputs is never called.
func (*Session) Outputs() []onnx.Value { panic(errNoCgo) }

// Provider is never called.
func (*Session) Provider() string { panic(errNoCgo) }

// Run is never called.
func (*Session) Run(_, _ []Tensor) error { panic(errNoCgo) }

// Shapes is never called.
func (*Session) Shapes([]Tensor) ([][]int64, error) { panic(errNoCgo) }

// Close is never called.
func (*Session) Close() error { panic(errNoCgo) }

// Package onnx writes ONNX models and reads them back without trusting them.
//
// Writing: a Graph collects nodes and initializers in the order they are added,
// and Model turns it into a file. The same calls give the same bytes.
//
// Reading: Parse and ReadFile accept what one file can hold. Damage, lengths
// that lie, data kept in other files, subgraphs, functions and sparse tensors
// are refused, as errors of the kind fault.Damaged that name the file and the
// place. An accepted model is consistent: every name that is used is defined
// before its use, every tensor holds the bytes that its shape asks for. That
// the operators exist and fit together is for the runtime to say.
//
// Reading costs a few times the file's size in memory; files are at most
// MaxBytes long.
package onnx

import "fmt"

// Type is the element type of a tensor, with ONNX' numbers.
type Type int32

// The element types that moncae writes; a model that is read may have others.
const (
	Float   Type = 1
	Uint8   Type = 2
	Int64   Type = 7
	Float16 Type = 10
)

// types are the element types that ONNX knows: numpy's name, and the bytes of an
// element, 0 where they vary.
var types = map[Type]struct {
	name string
	size int64
}{
	1: {"float32", 4}, 2: {"uint8", 1}, 3: {"int8", 1}, 4: {"uint16", 2}, 5: {"int16", 2}, 6: {"int32", 4},
	7: {"int64", 8}, 8: {"string", 0}, 9: {"bool", 1}, 10: {"float16", 2}, 11: {"float64", 8}, 12: {"uint32", 4},
	13: {"uint64", 8}, 14: {"complex64", 8}, 15: {"complex128", 16}, 16: {"bfloat16", 2},
}

// String is the type's name as numpy says it.
func (t Type) String() string {
	if known, ok := types[t]; ok {
		return known.name
	}
	return fmt.Sprintf("type %d", int32(t))
}

// Value is an input or output of a model.
type Value struct {
	Name string
	Type Type
	// Dims are the sides; −1 is one that may change from call to call.
	Dims []int64
}

// BatchName is the name of the symbolic first side of the models that moncae writes.
const BatchName = "N"

// Package onnx writes ONNX models and reads them back without trusting them.
//
// Writing: a Graph collects nodes and initializers in the order they are added,
// and Model turns it into a file. The same calls give the same bytes.
//
// Reading: Parse accepts what one file can hold; ReadFile also takes weights that lie
// in files beside the model's, in its folder or below, as PyTorch writes them by
// default, and no others. Damage, lengths that lie and sparse tensors are refused, by
// errors that name the file and the place: of the kind fault.Damaged for a model that
// moncae wrote, otherwise fault.Usage. An accepted model is consistent: every name
// that is used is defined before its use, every tensor holds the bytes that its shape
// asks for. That the operators exist and fit together is for the runtime to say.
//
// Reading costs a few times the files' size in memory; together they are at most
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

// types are the element types that ONNX knows: numpy's name, and the bits of an
// element, 0 where they vary.
var types = map[Type]struct {
	name string
	bits int64
}{
	1: {"float32", 32}, 2: {"uint8", 8}, 3: {"int8", 8}, 4: {"uint16", 16}, 5: {"int16", 16}, 6: {"int32", 32},
	7: {"int64", 64}, 8: {"string", 0}, 9: {"bool", 8}, 10: {"float16", 16}, 11: {"float64", 64}, 12: {"uint32", 32},
	13: {"uint64", 64}, 14: {"complex64", 64}, 15: {"complex128", 128}, 16: {"bfloat16", 16}, 17: {"float8e4m3fn", 8},
	18: {"float8e4m3fnuz", 8}, 19: {"float8e5m2", 8}, 20: {"float8e5m2fnuz", 8}, 21: {"uint4", 4}, 22: {"int4", 4}, 23: {"float4e2m1", 4},
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

package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"moncae/internal/half"
	"moncae/internal/onnx/onnxpb"
)

// What the models that moncae writes import.
const (
	Opset     = 13 // the newest whose Resize onnx2torch converts, with room below
	irVersion = 7  // the one that opset 13 came with
	producer  = "moncae"
)

// Graph is a network being written.
type Graph struct {
	pb *onnxpb.GraphProto
}

// NewGraph is an empty graph.
func NewGraph(name string) *Graph { return &Graph{&onnxpb.GraphProto{Name: &name}} }

// Input declares an input; a side of −1 is the batch.
func (g *Graph) Input(v Value) { g.pb.Input = append(g.pb.Input, valueInfo(v)) }

// Output declares which value is an output.
func (g *Graph) Output(v Value) { g.pb.Output = append(g.pb.Output, valueInfo(v)) }

// Floats adds a constant of float32 values, stored as t, Float or Float16, and
// gives back its name. Values that Float16 can't hold panic: see half.Fits.
func (g *Graph) Floats(name string, t Type, dims []int64, v []float32) string {
	var raw []byte
	switch t {
	case Float:
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
	case Float16:
		for _, x := range v {
			if !half.Fits(x) {
				panic(fmt.Sprintf("onnx: %s: %v does not fit float16", name, x))
			}
			raw = binary.LittleEndian.AppendUint16(raw, half.Of(x))
		}
	default:
		panic(fmt.Sprintf("onnx: %s: floats as %v", name, t))
	}
	return g.tensor(name, t, dims, raw)
}

// Ints adds a constant vector of int64 and gives back its name.
func (g *Graph) Ints(name string, v ...int64) string {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return g.tensor(name, Int64, []int64{int64(len(v))}, raw)
}

func (g *Graph) tensor(name string, t Type, dims []int64, raw []byte) string {
	g.pb.Initializer = append(g.pb.Initializer, &onnxpb.TensorProto{
		Name: &name, Dims: dims, DataType: proto.Int32(int32(t)), RawData: raw,
	})
	return name
}

// Node adds an operator whose one output, and whose own name, is out, and gives
// out back. An empty input name leaves an optional input away.
func (g *Graph) Node(op, out string, inputs []string, attributes ...Attribute) string {
	n := &onnxpb.NodeProto{OpType: &op, Name: &out, Input: inputs, Output: []string{out}}
	for _, a := range attributes {
		n.Attribute = append(n.Attribute, a.pb)
	}
	g.pb.Node = append(g.pb.Node, n)
	return out
}

// Rename gives the output of the last node another name. It keeps a chain of
// nodes simple to write where the last one must have the name of an output.
func (g *Graph) Rename(name string) {
	last := g.pb.Node[len(g.pb.Node)-1]
	last.Name, last.Output = &name, []string{name}
}

// Model is the finished graph with the version of the program that made it.
// It panics where the graph is not consistent, for that is a bug of the caller.
func (g *Graph) Model(producerVersion string, metadata map[string]string) *Model {
	m := &Model{&onnxpb.ModelProto{
		IrVersion: proto.Int64(irVersion), ProducerName: proto.String(producer), ProducerVersion: &producerVersion,
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(Opset)}},
		Graph:       g.pb,
	}}
	m.SetMetadata(metadata)
	if err := check(m.pb); err != nil {
		panic("onnx: " + err.Error())
	}
	return m
}

// Attribute is an attribute of a node.
type Attribute struct{ pb *onnxpb.AttributeProto }

// IntAttr is an integer attribute.
func IntAttr(name string, v int64) Attribute {
	return Attribute{&onnxpb.AttributeProto{Name: &name, Type: onnxpb.AttributeProto_INT.Enum(), I: &v}}
}

// IntsAttr is a list of integers.
func IntsAttr(name string, v ...int64) Attribute {
	return Attribute{&onnxpb.AttributeProto{Name: &name, Type: onnxpb.AttributeProto_INTS.Enum(), Ints: v}}
}

// FloatAttr is a float attribute.
func FloatAttr(name string, v float32) Attribute {
	return Attribute{&onnxpb.AttributeProto{Name: &name, Type: onnxpb.AttributeProto_FLOAT.Enum(), F: &v}}
}

// StringAttr is a text attribute.
func StringAttr(name, v string) Attribute {
	return Attribute{&onnxpb.AttributeProto{Name: &name, Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(v)}}
}

func valueInfo(v Value) *onnxpb.ValueInfoProto {
	shape := &onnxpb.TensorShapeProto{}
	for _, d := range v.Dims {
		side := &onnxpb.TensorShapeProto_Dimension{DimValue: &d}
		if d < 0 {
			side = &onnxpb.TensorShapeProto_Dimension{DimParam: proto.String(BatchName)}
		}
		shape.Dim = append(shape.Dim, side)
	}
	t := &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(v.Type)), Shape: shape}
	return &onnxpb.ValueInfoProto{Name: &v.Name, Type: &onnxpb.TypeProto{TensorType: t}}
}

package onnx

import (
	"errors"
	"fmt"
	"maps"
	"math/bits"

	"moncae/internal/onnx/onnxpb"
)

// check tells the first thing that keeps a decoded model from being used.
func check(m *onnxpb.ModelProto) error {
	switch {
	case m.Graph == nil:
		return errors.New("not an ONNX model: it has no graph")
	case m.GetIrVersion() < 3:
		return fmt.Errorf("ir_version is %d; 3 or newer is wanted", m.GetIrVersion())
	case (&Model{m}).Opset() < 1:
		return errors.New("it imports no standard operators")
	case len(m.TrainingInfo) > 0:
		return errors.New("it holds training steps, which moncae does not read")
	}
	for _, f := range m.Functions {
		if err := checkFunction(f); err != nil {
			return fmt.Errorf("function %q: %w", f.GetName(), err)
		}
	}
	defined, err := checkGraph(m.Graph, map[string]bool{})
	if err != nil {
		return err
	}
	return checkOutputs(m.Graph, defined)
}

func checkFunction(f *onnxpb.FunctionProto) error {
	defined := map[string]bool{}
	for _, name := range f.Input {
		defined[name] = true
	}
	if err := checkAttributes(f.AttributeProto, defined); err != nil {
		return err
	}
	return checkNodes(f.Node, defined)
}

// checkGraph checks a graph in which the names of outer can be used, and gives
// those that can be used behind its last node.
func checkGraph(g *onnxpb.GraphProto, outer map[string]bool) (map[string]bool, error) {
	if len(g.SparseInitializer) > 0 {
		return nil, errors.New("it holds sparse tensors, which moncae does not read")
	}
	defined := maps.Clone(outer)
	for _, t := range g.Initializer {
		if t.GetName() == "" || defined[t.GetName()] {
			return nil, fmt.Errorf("initializer %q: the name is empty, or given twice", t.GetName())
		}
		defined[t.GetName()] = true
		if err := checkTensor(t); err != nil {
			return nil, fmt.Errorf("initializer %q: %w", t.GetName(), err)
		}
	}
	inputs := map[string]bool{}
	for _, v := range g.Input {
		if inputs[v.GetName()] {
			return nil, fmt.Errorf("input %q is there twice", v.GetName())
		}
		inputs[v.GetName()], defined[v.GetName()] = true, true
		if err := checkValue(v); err != nil {
			return nil, fmt.Errorf("input %q: %w", v.GetName(), err)
		}
	}
	return defined, checkNodes(g.Node, defined)
}

func checkOutputs(g *onnxpb.GraphProto, defined map[string]bool) error {
	if len(g.Output) == 0 {
		return errors.New("it has no output")
	}
	for _, v := range g.Output {
		if !defined[v.GetName()] {
			return fmt.Errorf("output %q: no node gives it", v.GetName())
		}
		if err := checkValue(v); err != nil {
			return fmt.Errorf("output %q: %w", v.GetName(), err)
		}
	}
	return nil
}

func checkNodes(nodes []*onnxpb.NodeProto, defined map[string]bool) error {
	for i, n := range nodes {
		where := fmt.Sprintf("node %d %q", i, n.GetName())
		if n.GetOpType() == "" {
			return fmt.Errorf("%s: it has no operator type", where)
		}
		for _, in := range n.Input {
			if in != "" && !defined[in] {
				return fmt.Errorf("%s: input %q is not defined before it", where, in)
			}
		}
		for _, out := range n.Output {
			if out != "" && defined[out] {
				return fmt.Errorf("%s: output %q is defined twice", where, out)
			}
			defined[out] = true
		}
		if err := checkAttributes(n.Attribute, defined); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

func checkAttributes(all []*onnxpb.AttributeProto, defined map[string]bool) error {
	for _, a := range all {
		if err := checkAttribute(a, defined); err != nil {
			return fmt.Errorf("attribute %q: %w", a.GetName(), err)
		}
	}
	return nil
}

func checkAttribute(a *onnxpb.AttributeProto, defined map[string]bool) error {
	for _, g := range subgraphs(a) {
		if _, err := checkGraph(g, defined); err != nil {
			return fmt.Errorf("subgraph %q: %w", g.GetName(), err)
		}
	}
	if a.SparseTensor != nil || len(a.SparseTensors) > 0 {
		return errors.New("a sparse tensor, which moncae does not read")
	}
	if a.T != nil {
		return checkTensor(a.T)
	}
	for _, t := range a.Tensors {
		if err := checkTensor(t); err != nil {
			return err
		}
	}
	return nil
}

// subgraphs are the graphs that an attribute holds: the branches of an If, the body
// of a Loop.
func subgraphs(a *onnxpb.AttributeProto) []*onnxpb.GraphProto {
	if a.G == nil {
		return a.Graphs
	}
	return append([]*onnxpb.GraphProto{a.G}, a.Graphs...)
}

func checkValue(v *onnxpb.ValueInfoProto) error {
	t := v.GetType().GetTensorType()
	if v.GetName() == "" || t == nil {
		return errors.New("a named tensor is wanted")
	}
	if _, ok := types[Type(t.GetElemType())]; !ok {
		return fmt.Errorf("element type %d is unknown", t.GetElemType())
	}
	return nil
}

// checkTensor compares a constant's length with its shape.
func checkTensor(t *onnxpb.TensorProto) error {
	if len(t.ExternalData) > 0 || t.GetDataLocation() != onnxpb.TensorProto_DEFAULT {
		return fmt.Errorf("its data is in another file, %q", external(t)["location"])
	}
	if t.Segment != nil {
		return errors.New("its data is in segments, which moncae does not read")
	}
	kind, ok := types[Type(t.GetDataType())]
	if !ok {
		return fmt.Errorf("element type %d is unknown", t.GetDataType())
	}
	values, err := product(t.Dims)
	if err != nil {
		return err
	}
	if t.RawData != nil {
		if kind.bits == 0 || bytesOf(values, kind.bits) != int64(len(t.RawData)) {
			return fmt.Errorf("%d bytes of data for shape %v of %s", len(t.RawData), t.Dims, kind.name)
		}
		return nil
	}
	fields := len(t.FloatData) + len(t.Int32Data) + len(t.StringData) + len(t.Int64Data) + len(t.DoubleData) + len(t.Uint64Data)
	if kind.name == "complex64" || kind.name == "complex128" {
		fields /= 2
	}
	if kind.bits > 0 && kind.bits < 8 { // packed
		values = bytesOf(values, kind.bits)
	}
	if int64(fields) != values {
		return fmt.Errorf("%d values for shape %v", fields, t.Dims)
	}
	return nil
}

// bytesOf is what values of so many bits take; values are at most MaxBytes.
func bytesOf(values, bits int64) int64 { return (values*bits + 7) / 8 }

func product(dims []int64) (int64, error) {
	n := uint64(1)
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative side", dims)
		}
		high, low := bits.Mul64(n, uint64(d))
		if high != 0 || low > MaxBytes {
			return 0, fmt.Errorf("shape %v is too large", dims)
		}
		n = low
	}
	return int64(n), nil
}

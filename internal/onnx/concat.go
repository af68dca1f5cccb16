package onnx

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"moncae/internal/onnx/onnxpb"
)

// Concat is the model that feeds a's only output into b's only input; it has a's
// input and b's output and a's metadata. Every other name gets a prefix, so that
// the two can't clash. The models must import the same operators.
func Concat(name string, a, b *Model) (*Model, error) {
	if err := fitTogether(a, b); err != nil {
		return nil, err
	}
	joint := b.Inputs()[0].Name
	pa, pb := prefixed(a, "first/", nil), prefixed(b, "second/", map[string]string{joint: "first/" + a.Outputs()[0].Name})
	g := &onnxpb.GraphProto{
		Name:        &name,
		Node:        append(pa.Node, pb.Node...),
		Initializer: append(pa.Initializer, pb.Initializer...),
	}
	in, out := a.Inputs()[0], b.Outputs()[0]
	rename(g, map[string]string{"first/" + in.Name: in.Name, "second/" + out.Name: out.Name})
	if in.Name == out.Name {
		return nil, fmt.Errorf("the input and the output are both named %q", in.Name)
	}
	g.Input, g.Output = []*onnxpb.ValueInfoProto{valueInfo(in)}, []*onnxpb.ValueInfoProto{valueInfo(out)}
	joined := proto.CloneOf(a.pb)
	joined.Graph = g
	if err := check(joined); err != nil {
		return nil, err
	}
	return &Model{joined}, nil
}

func fitTogether(a, b *Model) error {
	if len(a.Outputs()) != 1 || len(b.Inputs()) != 1 || len(a.Inputs()) != 1 || len(b.Outputs()) != 1 {
		return fmt.Errorf("models with one input and one output are wanted")
	}
	if a.Opset() != b.Opset() {
		return fmt.Errorf("the models import operators of version %d and %d; one version is wanted", a.Opset(), b.Opset())
	}
	out, in := a.Outputs()[0], b.Inputs()[0]
	if out.Type != in.Type {
		return fmt.Errorf("%q is %v, %q wants %v", out.Name, out.Type, in.Name, in.Type)
	}
	if len(out.Dims) != len(in.Dims) {
		return fmt.Errorf("%q has the shape %v, %q wants %v", out.Name, out.Dims, in.Name, in.Dims)
	}
	for i, d := range out.Dims {
		if d >= 0 && in.Dims[i] >= 0 && d != in.Dims[i] {
			return fmt.Errorf("%q has the shape %v, %q wants %v", out.Name, out.Dims, in.Name, in.Dims)
		}
	}
	return nil
}

// prefixed is a copy of m's graph in which every value's name begins with
// prefix, but for those that known renames.
func prefixed(m *Model, prefix string, known map[string]string) *onnxpb.GraphProto {
	g := proto.CloneOf(m.pb.Graph)
	names := map[string]string{}
	add := func(n string) {
		if n != "" {
			names[n] = prefix + n
		}
	}
	for _, v := range g.Input {
		add(v.GetName())
	}
	for _, t := range g.Initializer {
		add(t.GetName())
	}
	for _, n := range g.Node {
		for _, out := range n.Output {
			add(out)
		}
	}
	for k, v := range known {
		names[k] = v
	}
	rename(g, names)
	return g
}

func rename(g *onnxpb.GraphProto, names map[string]string) {
	to := func(n string) string {
		if r, ok := names[n]; ok {
			return r
		}
		return n
	}
	for _, t := range g.Initializer {
		t.Name = proto.String(to(t.GetName()))
	}
	for _, v := range g.Output { // of a subgraph; Concat sets the graph's own
		v.Name = proto.String(to(v.GetName()))
	}
	for _, n := range g.Node {
		for i := range n.Input {
			n.Input[i] = to(n.Input[i])
		}
		for i := range n.Output {
			n.Output[i] = to(n.Output[i])
		}
		if r, ok := names[n.GetName()]; ok {
			n.Name = &r
		}
		for _, a := range n.Attribute {
			for _, inner := range subgraphs(a) { // whose own names are no one else's
				rename(inner, names)
			}
		}
	}
}

package onnx

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"moncae/internal/onnx/onnxpb"
)

// InFloat32 is the same model with one of its outputs only, in float32.
func (m *Model) InFloat32(output string) *Model {
	return m.ending(output, func(g *Graph, v Value) Value { return g.inFloat32(v) })
}

// AsImages is the same model with one of its outputs only, as float32 images of the
// sides [C, H, W]: NHWC ones are turned, others reshaped.
func (m *Model) AsImages(output string, nhwc bool, chw [3]int64) *Model {
	return m.ending(output, func(g *Graph, v Value) Value {
		v = g.inFloat32(v)
		if nhwc && len(v.Dims) == 4 {
			v.Name = g.Node("Transpose", output+"/nchw", []string{v.Name}, IntsAttr("perm", 0, 3, 1, 2))
		}
		shape := g.Ints(output+"/sides", append([]int64{-1}, chw[:]...)...)
		v.Name = g.Node("Reshape", output+"/images", []string{v.Name, shape})
		v.Dims = append([]int64{-1}, chw[:]...)
		return v
	})
}

func (m *Model) ending(output string, add func(*Graph, Value) Value) *Model {
	c := &Model{proto.CloneOf(m.pb)}
	g := &Graph{c.pb.Graph}
	g.pb.Output = slices.DeleteFunc(g.pb.Output, func(v *onnxpb.ValueInfoProto) bool { return v.GetName() != output })
	for i, v := range c.Outputs() {
		g.pb.Output[i] = valueInfo(add(g, v))
	}
	return c
}

func (g *Graph) inFloat32(v Value) Value {
	if v.Type != Float {
		v.Name, v.Type = g.Node("Cast", v.Name+"/float32", []string{v.Name}, IntAttr("to", int64(Float))), Float
	}
	return v
}

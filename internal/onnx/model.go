package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"moncae/internal/onnx/onnxpb"
)

// Model is a checked ONNX model.
type Model struct {
	pb *onnxpb.ModelProto
}

var deterministic = proto.MarshalOptions{Deterministic: true}

// Bytes is the model as a file's content.
func (m *Model) Bytes() []byte { return mustMarshal(m.pb) }

// Hash is the SHA-256 of the serialised GraphProto in hexadecimal: it changes
// with the network and its weights, and not with the metadata. In Python:
// sha256(onnx.load(f).graph.SerializeToString(deterministic=True)).hexdigest().
func (m *Model) Hash() string {
	sum := sha256.Sum256(mustMarshal(m.pb.Graph))
	return hex.EncodeToString(sum[:])
}

// Own tells whether moncae wrote the model.
func (m *Model) Own() bool { return m.pb.GetProducerName() == producer }

// Metadata are the model's key-value pairs.
func (m *Model) Metadata() map[string]string {
	pairs := make(map[string]string, len(m.pb.MetadataProps))
	for _, p := range m.pb.MetadataProps {
		pairs[p.GetKey()] = p.GetValue()
	}
	return pairs
}

// SetMetadata replaces all key-value pairs; they are written sorted by key.
func (m *Model) SetMetadata(pairs map[string]string) {
	m.pb.MetadataProps = make([]*onnxpb.StringStringEntryProto, 0, len(pairs))
	for k, v := range pairs {
		m.pb.MetadataProps = append(m.pb.MetadataProps, &onnxpb.StringStringEntryProto{Key: &k, Value: &v})
	}
	slices.SortFunc(m.pb.MetadataProps, func(a, b *onnxpb.StringStringEntryProto) int {
		return strings.Compare(a.GetKey(), b.GetKey())
	})
}

// Inputs are what the model wants at every call: its inputs without those that
// an initializer gives.
func (m *Model) Inputs() []Value {
	given := map[string]bool{}
	for _, t := range m.pb.Graph.Initializer {
		given[t.GetName()] = true
	}
	var vs []Value
	for _, v := range m.pb.Graph.Input {
		if !given[v.GetName()] {
			vs = append(vs, value(v))
		}
	}
	return vs
}

// Outputs are what the model gives.
func (m *Model) Outputs() []Value {
	var vs []Value
	for _, v := range m.pb.Graph.Output {
		vs = append(vs, value(v))
	}
	return vs
}

// Node is one operator of a model, for looking at.
type Node struct {
	Op              string
	Inputs, Outputs []string
	Ints            map[string][]int64 // the attributes that are lists of integers
}

// Nodes are the operators in the order they run.
func (m *Model) Nodes() []Node {
	nodes := make([]Node, len(m.pb.Graph.Node))
	for i, n := range m.pb.Graph.Node {
		nodes[i] = Node{n.GetOpType(), slices.Clone(n.Input), slices.Clone(n.Output), map[string][]int64{}}
		for _, a := range n.Attribute {
			if len(a.Ints) > 0 {
				nodes[i].Ints[a.GetName()] = slices.Clone(a.Ints)
			}
		}
	}
	return nodes
}

// Opset is the version of the standard operators that the model imports.
func (m *Model) Opset() int64 {
	for _, o := range m.pb.OpsetImport {
		if standardDomain(o.GetDomain()) {
			return o.GetVersion()
		}
	}
	return 0
}

// WithOpset is the same model that imports another version of the standard
// operators. That they mean the same there is the caller's to know.
func (m *Model) WithOpset(version int64) *Model {
	c := &Model{proto.CloneOf(m.pb)}
	for _, o := range c.pb.OpsetImport {
		if standardDomain(o.GetDomain()) {
			o.Version = &version
		}
	}
	return c
}

func standardDomain(d string) bool { return d == "" || d == "ai.onnx" }

func value(v *onnxpb.ValueInfoProto) Value {
	t := v.GetType().GetTensorType()
	out := Value{Name: v.GetName(), Type: Type(t.GetElemType())}
	for _, d := range t.GetShape().GetDim() {
		side := int64(-1)
		if d.DimValue != nil {
			side = max(side, d.GetDimValue())
		}
		out.Dims = append(out.Dims, side)
	}
	return out
}

func mustMarshal(m proto.Message) []byte {
	b, err := deterministic.Marshal(m)
	if err != nil {
		panic("onnx: " + err.Error()) // larger than 2 GiB, or a required field: neither can be here
	}
	return b
}

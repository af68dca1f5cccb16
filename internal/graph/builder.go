package graph

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
	"moncae/internal/ops"
)

// builder adds layers to one graph. The first error stays and turns what
// follows into nothing.
type builder struct {
	graph    *gorgonia.ExprGraph
	params   map[string]*gorgonia.Node
	training bool
	seed     uint64
	dropouts uint32 // dropout layers so far
	step     *gorgonia.Node
	stats    map[string]*gorgonia.Node
	err      error
}

// newBuilder starts a graph with an input node for each of the net's parameters
// that keep accepts.
func newBuilder(net *Net, keep func(arch.Param) bool) *builder {
	b := &builder{graph: gorgonia.NewGraph(), params: map[string]*gorgonia.Node{}}
	for _, p := range net.Params {
		if keep(p) {
			b.params[p.Name] = gorgonia.NewTensor(b.graph, tensor.Float32, len(p.Shape),
				gorgonia.WithShape(p.Shape...), gorgonia.WithName(p.Name))
		}
	}
	return b
}

func (b *builder) input(batch int, s arch.Shape) *gorgonia.Node {
	return gorgonia.NewTensor(b.graph, tensor.Float32, 4,
		gorgonia.WithShape(batch, s.C, s.H, s.W), gorgonia.WithName("input"))
}

func (b *builder) apply(op gorgonia.Op, in ...*gorgonia.Node) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	var n *gorgonia.Node
	n, b.err = ops.Apply(op, in...)
	return n
}

// stack adds a part's layers and returns the last value.
func (b *builder) stack(p part, x *gorgonia.Node) *gorgonia.Node {
	values := []*gorgonia.Node{x}
	for i, l := range p.stack {
		if b.err != nil {
			return nil
		}
		x = b.layer(fmt.Sprintf("%s.%d.", p.name, i), l, x, values)
		values = append(values, x)
	}
	return x
}

// layer adds one layer; its parameters' names begin with prefix.
func (b *builder) layer(prefix string, l arch.Layer, x *gorgonia.Node, values []*gorgonia.Node) *gorgonia.Node {
	param := func(r arch.Role) *gorgonia.Node { return b.params[prefix+string(r)] }
	switch l.Kind {
	case arch.Conv:
		return b.apply(ops.Conv2D{Kernel: l.Kernel, Stride: l.Stride}, x, param(arch.Weight), param(arch.Bias))
	case arch.Transpose:
		return b.apply(ops.ConvTranspose2D{Kernel: l.Kernel, H: l.To[0], W: l.To[1]}, x, param(arch.Weight), param(arch.Bias))
	case arch.Dense:
		return b.apply(ops.Dense{}, x, param(arch.Weight), param(arch.Bias))
	case arch.BatchNorm:
		return b.normalize(prefix, x, param)
	case arch.Activate:
		return b.apply(ops.Activation{F: l.Activation}, x)
	case arch.Dropout:
		return b.dropout(l.Rate, x)
	case arch.MaxPool:
		return b.apply(ops.MaxPool2{}, x)
	case arch.Upsample:
		return b.apply(ops.Upsample2{H: l.To[0], W: l.To[1]}, x)
	case arch.Add:
		return b.apply(ops.Add{}, x, values[l.From])
	}
	b.err = fmt.Errorf("layer kind %q is unknown", l.Kind)
	return nil
}

func (b *builder) normalize(prefix string, x *gorgonia.Node, param func(arch.Role) *gorgonia.Node) *gorgonia.Node {
	if !b.training {
		return b.apply(ops.Normalize{}, x, param(arch.Gamma), param(arch.Beta), param(arch.Mean), param(arch.Variance))
	}
	y := b.apply(ops.BatchNorm{}, x, param(arch.Gamma), param(arch.Beta))
	b.stats[prefix+string(arch.Mean)] = b.apply(ops.BatchMean{}, x)
	b.stats[prefix+string(arch.Variance)] = b.apply(ops.BatchVariance{}, x)
	return y
}

func (b *builder) dropout(rate float64, x *gorgonia.Node) *gorgonia.Node {
	if !b.training {
		return x
	}
	layer := b.dropouts
	b.dropouts++
	if rate == 0 {
		return x
	}
	return b.apply(ops.Dropout{Rate: rate, Layer: layer, Seed: b.seed}, x, b.steps())
}

// noiseLayer is the noise's number among the dropout layers: none of theirs.
const noiseLayer = math.MaxUint32

func (b *builder) noise(sigma float64, x *gorgonia.Node) *gorgonia.Node {
	if sigma == 0 {
		return x
	}
	return b.apply(ops.Noise{Sigma: sigma, Layer: noiseLayer, Seed: b.seed}, x, b.steps())
}

// steps is the input that counts the training steps.
func (b *builder) steps() *gorgonia.Node {
	if b.step == nil {
		b.step = gorgonia.NewScalar(b.graph, tensor.Float32, gorgonia.WithName("step"))
	}
	return b.step
}

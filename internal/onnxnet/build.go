package onnxnet

import (
	"fmt"
	"math"

	"moncae/internal/arch"
	"moncae/internal/half"
	"moncae/internal/onnx"
)

// value is a value of the graph being written. A flat one is [N, C] where the
// shape says [N, C, 1, 1].
type value struct {
	name string
	flat bool
}

// writer puts stacks of layers into a graph. Its first error stays.
type writer struct {
	graph   *onnx.Graph
	weights arch.Weights
	dtype   onnx.Type
	err     error
}

// stack adds a stack's layers, whose parameters begin with prefix, behind x.
func (w *writer) stack(prefix string, s arch.Stack, in arch.Shape, x value) value {
	shapes, err := s.Shapes(in)
	if err != nil {
		panic("onnxnet: not validated: " + err.Error())
	}
	folded := foldable(s)
	values := []value{x}
	for i, l := range s {
		at := layer{Layer: l, prefix: fmt.Sprintf("%s.%d", prefix, i), in: shapes[i], out: shapes[i+1]}
		if n, ok := folded[i]; ok {
			at.norm = fmt.Sprintf("%s.%d", prefix, n)
		}
		switch {
		case l.Kind == arch.Dropout, l.Kind == arch.BatchNorm && isFolded(folded, i):
			values = append(values, values[i])
		case l.Kind == arch.Add:
			values = append(values, w.add(at, values[i], values[l.From]))
		default:
			values = append(values, w.layer(at, values[i]))
		}
	}
	return values[len(s)]
}

// layer is one layer and its place; norm is the prefix of a batch norm that is
// folded into it.
type layer struct {
	arch.Layer
	prefix, norm string
	in, out      arch.Shape
}

func (w *writer) layer(l layer, x value) value {
	switch l.Kind {
	case arch.Conv:
		return value{name: w.conv(l, w.spatial(l, x))}
	case arch.Transpose:
		return value{name: w.transpose(l, w.spatial(l, x))}
	case arch.Dense:
		return value{name: w.dense(l, x), flat: true}
	case arch.Activate:
		return value{name: w.activation(l, x.name), flat: x.flat}
	case arch.BatchNorm:
		return value{name: w.batchNorm(l, w.spatial(l, x))}
	case arch.MaxPool:
		return value{name: w.maxPool(l, w.spatial(l, x))}
	case arch.Upsample:
		return value{name: w.upsample(l, w.spatial(l, x))}
	}
	panic(fmt.Sprintf("onnxnet: layer kind %q", l.Kind))
}

// spatial gives x its four axes back.
func (w *writer) spatial(l layer, x value) string {
	if !x.flat {
		return x.name
	}
	shape := w.graph.Ints(l.prefix+".shape", -1, int64(l.in.C), int64(l.in.H), int64(l.in.W))
	return w.graph.Node("Reshape", l.prefix+".spatial", []string{x.name, shape})
}

func (w *writer) add(l layer, x, y value) value {
	in := []string{x.name, y.name}
	if x.flat != y.flat {
		in = []string{w.spatial(l, x), w.spatial(l, y)}
	}
	return value{name: w.graph.Node("Add", l.prefix, in), flat: x.flat && y.flat}
}

func (w *writer) conv(l layer, x string) string {
	return w.convolution("Conv", l, x, [2]int{l.Filters, l.in.C}, l.Stride)
}

// transpose is a convolution back: its weights have the input's channels first. It ends
// at an odd side; output_padding adds the last row or column of an even one.
func (w *writer) transpose(l layer, x string) string {
	more := onnx.IntsAttr("output_padding", int64(1-l.out.H%2), int64(1-l.out.W%2))
	return w.convolution("ConvTranspose", l, x, [2]int{l.in.C, l.Filters}, 2, more)
}

func (w *writer) convolution(op string, l layer, x string, channels [2]int, stride int, more ...onnx.Attribute) string {
	weight, bias := w.affine(l)
	k, p, s := int64(l.Kernel), int64(l.Kernel/2), int64(stride)
	in := []string{
		x,
		w.floats(l.prefix+".weight", weight, channels[0], channels[1], l.Kernel, l.Kernel),
		w.floats(l.prefix+".bias", bias, l.Filters),
	}
	attributes := append([]onnx.Attribute{onnx.IntsAttr("dilations", 1, 1), onnx.IntAttr("group", 1),
		onnx.IntsAttr("kernel_shape", k, k), onnx.IntsAttr("pads", p, p, p, p), onnx.IntsAttr("strides", s, s)}, more...)
	return w.graph.Node(op, l.prefix, in, attributes...)
}

func (w *writer) dense(l layer, x value) string {
	weight, bias := w.affine(l)
	name := x.name
	if !x.flat {
		name = w.graph.Node("Flatten", l.prefix+".flat", []string{name}, onnx.IntAttr("axis", 1))
	}
	in := []string{
		name,
		w.floats(l.prefix+".weight", weight, l.Filters, l.in.Values()),
		w.floats(l.prefix+".bias", bias, l.Filters),
	}
	return w.graph.Node("Gemm", l.prefix, in, onnx.IntAttr("transB", 1))
}

func (w *writer) activation(l layer, x string) string {
	switch l.Activation {
	case arch.ReLU:
		return w.graph.Node("Relu", l.prefix, []string{x})
	case arch.Sigmoid:
		return w.graph.Node("Sigmoid", l.prefix, []string{x})
	case arch.LeakyReLU:
		return w.graph.Node("LeakyRelu", l.prefix, []string{x}, onnx.FloatAttr("alpha", arch.LeakySlope))
	case arch.ELU:
		return w.graph.Node("Elu", l.prefix, []string{x}, onnx.FloatAttr("alpha", 1))
	case arch.SiLU:
		gate := w.graph.Node("Sigmoid", l.prefix+".gate", []string{x})
		return w.graph.Node("Mul", l.prefix, []string{x, gate})
	}
	panic(fmt.Sprintf("onnxnet: activation %q", l.Activation))
}

func (w *writer) batchNorm(l layer, x string) string {
	in := []string{x}
	for _, role := range []arch.Role{arch.Gamma, arch.Beta, arch.Mean, arch.Variance} {
		name := fmt.Sprintf("%s.%s", l.prefix, role)
		in = append(in, w.floats(name, w.weights[name], l.in.C))
	}
	return w.graph.Node("BatchNormalization", l.prefix, in, onnx.FloatAttr("epsilon", arch.BatchNormEpsilon))
}

// maxPool pads odd sides by one on both ends: the windows are (·,0)(1,2)(3,4)…
// and nothing reads the far end's padding.
func (w *writer) maxPool(l layer, x string) string {
	h, v := int64(l.in.H%2), int64(l.in.W%2)
	attributes := []onnx.Attribute{onnx.IntsAttr("kernel_shape", 2, 2), onnx.IntsAttr("pads", h, v, h, v), onnx.IntsAttr("strides", 2, 2)}
	return w.graph.Node("MaxPool", l.prefix, []string{x}, attributes...)
}

// upsample doubles both sides, each value becoming 2×2 of it, and cuts the
// first row or column off where the target is odd.
func (w *writer) upsample(l layer, x string) string {
	scales := w.graph.Floats(l.prefix+".scales", onnx.Float, []int64{4}, []float32{1, 1, 2, 2})
	y := w.graph.Node("Resize", l.prefix+".double", []string{x, "", scales}, onnx.StringAttr("mode", "nearest"),
		onnx.StringAttr("coordinate_transformation_mode", "asymmetric"), onnx.StringAttr("nearest_mode", "floor"))
	var starts, axes []int64
	for i, side := range []int{l.out.H, l.out.W} {
		if side%2 == 1 {
			starts, axes = append(starts, 1), append(axes, int64(2+i))
		}
	}
	if len(axes) == 0 {
		return y
	}
	ends := make([]int64, len(axes))
	for i := range ends {
		ends[i] = math.MaxInt64 // to the end
	}
	in := []string{
		y,
		w.graph.Ints(l.prefix+".starts", starts...),
		w.graph.Ints(l.prefix+".ends", ends...),
		w.graph.Ints(l.prefix+".axes", axes...),
	}
	return w.graph.Node("Slice", l.prefix, in)
}

// floats adds a parameter in the graph's own type.
func (w *writer) floats(name string, v []float32, dims ...int) string {
	for _, x := range v {
		if w.err != nil {
			break
		}
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			w.err = fmt.Errorf("weights: %s holds %v, which is not finite", name, x)
		} else if w.dtype == onnx.Float16 && !half.Fits(x) {
			w.err = fmt.Errorf("weights: %s holds %v; float16 ends at ±%d: export in float32", name, x, half.Max)
		}
	}
	if w.err != nil {
		return name
	}
	shape := make([]int64, len(dims))
	for i, d := range dims {
		shape[i] = int64(d)
	}
	return w.graph.Floats(name, w.dtype, shape, v)
}

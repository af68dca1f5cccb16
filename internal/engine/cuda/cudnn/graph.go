//go:build nvidia && linux && amd64

package cudnn

// #include "api.h"
import "C"

import "moncae/internal/engine/cuda/plan"

// The tensors' names in a graph, by which Run gives their places.
const (
	image  int64 = 'x'
	weight int64 = 'w'
	output int64 = 'y'
)

// alignment of tensors, in bytes: what the plan keeps, and tensor cores want.
const alignment int64 = 16

// attributes are how cuDNN's three convolutions name what they have in common.
type attributes struct{ kind, alpha, beta, convolution, x, w, y C.int }

var operations = map[plan.Kind]attributes{
	plan.Forward: {
		C.CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
		C.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, C.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, C.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
		C.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, C.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, C.CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
	},
	plan.InputGrad: {
		C.CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
		C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
		C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
	},
	plan.WeightGrad: {
		C.CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
		C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
		C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, C.CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
	},
}

// graph describes a convolution as a graph of one operation.
func (p *parts) graph(c plan.Problem, on target) descriptor {
	kind := C.int(C.CUDNN_DATA_FLOAT)
	if c.Half {
		kind = C.CUDNN_DATA_BFLOAT16
	}
	x := p.tensor(image, kind, c.N, c.C, c.H, c.W)
	w := p.tensor(weight, kind, c.O, c.C, c.Kernel, c.Kernel)
	y := p.tensor(output, kind, c.N, c.O, c.YH, c.YW)
	convolution := p.convolution(c.Geometry)
	names := operations[c.Kind]
	op := p.create(names.kind)
	set(p, op, names.alpha, C.CUDNN_TYPE_FLOAT, float32(1))
	set(p, op, names.beta, C.CUDNN_TYPE_FLOAT, float32(0))
	set(p, op, names.convolution, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, convolution)
	set(p, op, names.x, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, x)
	set(p, op, names.w, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, w)
	set(p, op, names.y, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, y)
	p.finalize(op, "an operation")
	graph := p.create(C.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
	set(p, graph, C.CUDNN_ATTR_OPERATIONGRAPH_OPS, C.CUDNN_TYPE_BACKEND_DESCRIPTOR, op)
	on.ofGraph(p, graph)
	p.finalize(graph, "a graph")
	return graph
}

// tensor describes n·h·w rows of c values, NHWC, as NCHW with its strides.
func (p *parts) tensor(name int64, kind C.int, n, c, h, w int) descriptor {
	t := p.create(C.CUDNN_BACKEND_TENSOR_DESCRIPTOR)
	set(p, t, C.CUDNN_ATTR_TENSOR_DATA_TYPE, C.CUDNN_TYPE_DATA_TYPE, kind)
	set(p, t, C.CUDNN_ATTR_TENSOR_DIMENSIONS, C.CUDNN_TYPE_INT64, int64(n), int64(c), int64(h), int64(w))
	set(p, t, C.CUDNN_ATTR_TENSOR_STRIDES, C.CUDNN_TYPE_INT64, int64(h*w*c), 1, int64(w*c), int64(c))
	set(p, t, C.CUDNN_ATTR_TENSOR_UNIQUE_ID, C.CUDNN_TYPE_INT64, name)
	set(p, t, C.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, C.CUDNN_TYPE_INT64, alignment)
	p.finalize(t, "a tensor")
	return t
}

// convolution describes how the kernel moves. Sums are float32 whatever the
// tensors hold.
func (p *parts) convolution(g plan.Geometry) descriptor {
	c := p.create(C.CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
	pad, stride := int64(g.Kernel/2), int64(g.Stride)
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_COMP_TYPE, C.CUDNN_TYPE_DATA_TYPE, C.int(C.CUDNN_DATA_FLOAT))
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_CONV_MODE, C.CUDNN_TYPE_CONVOLUTION_MODE, C.int(C.CUDNN_CROSS_CORRELATION))
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, C.CUDNN_TYPE_INT64, int64(2))
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, C.CUDNN_TYPE_INT64, pad, pad)
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, C.CUDNN_TYPE_INT64, pad, pad)
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, C.CUDNN_TYPE_INT64, stride, stride)
	set(p, c, C.CUDNN_ATTR_CONVOLUTION_DILATIONS, C.CUDNN_TYPE_INT64, int64(1), int64(1))
	p.finalize(c, "a convolution")
	return c
}

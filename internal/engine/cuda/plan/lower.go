package plan

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"moncae/internal/engine/lower"
	"moncae/internal/graph"
	"moncae/internal/ops"
)

// value is an activation: N·H·W rows of C values.
type value struct {
	ref        Ref
	half       bool
	n, h, w, c int
}

func (v value) rows() int64  { return int64(v.n) * int64(v.h) * int64(v.w) }
func (v value) total() int64 { return v.rows() * int64(v.c) }

// count is the total as kernels take it.
func (v value) count() uint32 { return uint32(v.total()) }

// lowering turns one graph into steps.
type lowering struct {
	net      *graph.Net
	layout   *Layout
	options  Options
	memory   *memory
	half     bool
	training bool
	library  bool

	*lower.Graph
	wide   map[*gorgonia.Node]bool // float32 whatever the training computes in
	fused  map[*gorgonia.Node]bool // done by another node's step
	values map[*gorgonia.Node]value
	norms  map[*lower.Norm]*norm
	places map[*gorgonia.Node]Ref // of the maxima of a pooling

	images    value // the gathered input in float32
	inputHalf Ref   // and in bfloat16
	labels    Ref
	lossDone  bool
	mean      mean  // of the loss
	sums      []Sum // of gradients, which wait for the step's end
	steps     []Step
}

// most is the number of values that a tensor may have: kernels count in 32 bits.
const most = 1<<31 - 1

// begin takes up a graph.
func (l *lowering) begin(g *lower.Graph) error {
	l.Graph = g
	l.wide, l.fused = map[*gorgonia.Node]bool{}, map[*gorgonia.Node]bool{}
	l.values, l.norms, l.places = map[*gorgonia.Node]value{}, map[*lower.Norm]*norm{}, map[*gorgonia.Node]Ref{}
	for _, n := range g.Order {
		if size := n.Shape().TotalSize(); size > most {
			return fmt.Errorf("%v has %d values; the CUDA engine takes tensors of at most %d: a smaller batch helps", n, size, most)
		}
	}
	return nil
}

// emit adds a step and notes the buffers that it names.
func (l *lowering) emit(s Step) {
	for _, r := range Refs(s) {
		l.memory.use(r, len(l.steps))
	}
	if _, ok := s.(Conv); ok {
		l.library = true
	}
	l.steps = append(l.steps, s)
}

func (l *lowering) scratch(bytes int64) Ref {
	if l.training {
		return l.memory.add(bytes, 0)
	}
	return l.memory.add(bytes, 1)
}

// create makes the value of a node with four axes.
func (l *lowering) create(n *gorgonia.Node) value {
	s := n.Shape()
	v := value{n: s[0], c: s[1], h: s[2], w: s[3], half: l.half && !l.wide[n]}
	v.ref = l.scratch(v.total() * v.bytes())
	l.values[n] = v
	return v
}

func (v value) bytes() int64 {
	if v.half {
		return 2
	}
	return 4
}

// as is v in the type asked for, cast by a kernel where it has the other.
func (l *lowering) as(v value, half bool) value {
	if v.half == half {
		return v
	}
	c := v
	c.half = half
	c.ref = l.scratch(c.total() * c.bytes())
	kernel := "to_float"
	if half {
		kernel = "to_half"
	}
	l.over(v.total(), kernel, v.ref, c.ref, v.count())
	return c
}

// of is a node's value in the type that activations have here.
func (l *lowering) of(n *gorgonia.Node, half bool) value {
	v, ok := l.values[n]
	if !ok {
		panic(fmt.Sprintf("plan: %v is used before it is made", n))
	}
	if n.Op() == nil && half != v.half && half {
		return l.halfInput(v)
	}
	return l.as(v, half)
}

func suffix(half bool) string {
	if half {
		return "_bf16"
	}
	return "_f32"
}

// threads of a block, and the most blocks of a launch over values.
const (
	threads   = 256
	maxBlocks = 8192
)

// launch launches a kernel whose blocks have 256 threads.
func (l *lowering) launch(kernel string, grid [3]int, args ...any) {
	l.emit(Launch{Kernel: kernel, Grid: grid, Block: threads, Args: args})
}

// over launches a kernel that strides over total values.
func (l *lowering) over(total int64, kernel string, args ...any) {
	l.emit(over(total, kernel, args...))
}

func over(total int64, kernel string, args ...any) Launch {
	blocks := min((total+threads-1)/threads, maxBlocks)
	return Launch{Kernel: kernel, Grid: [3]int{int(blocks), 1, 1}, Block: threads, Args: args}
}

// nodes lowers the live nodes in their order.
func (l *lowering) nodes() error {
	for _, n := range l.Order {
		if n.Op() == nil || l.fused[n] {
			continue
		}
		if err := l.node(n); err != nil {
			return fmt.Errorf("lowering %v: %w", n, err)
		}
	}
	return nil
}

func (l *lowering) node(n *gorgonia.Node) error {
	in := l.In(n)
	switch op := n.Op().(type) {
	case ops.Conv2D:
		l.forward(n, in, Forward, op.Kernel, op.Stride)
	case ops.ConvTranspose2D:
		l.forward(n, in, InputGrad, op.Kernel, 2)
	case ops.Dense:
		l.forward(n, in, Forward, 0, 1)
	case ops.Conv2DGradInput:
		l.inputGrad(n, in, InputGrad, op.Kernel, op.Stride)
	case ops.ConvTranspose2DGradInput:
		l.inputGrad(n, in, Forward, op.Kernel, 2)
	case ops.DenseGradInput:
		l.inputGrad(n, in, InputGrad, 0, 1)
	case ops.Conv2DGradWeight:
		l.weightGrad(n, l.of(in[0], l.half), l.values[in[1]], op.Kernel, op.Stride)
	case ops.ConvTranspose2DGradWeight: // of the convolution from its output to its input
		l.weightGrad(n, l.values[in[1]], l.of(in[0], l.half), op.Kernel, 2)
	case ops.DenseGradWeight:
		l.weightGrad(n, l.of(in[0], l.half), l.values[in[1]], 0, 1)
	case ops.ChannelSum:
		l.channelSum(in[0])
	case ops.BatchNorm, ops.Normalize:
		l.normalize(n, in)
	case ops.BatchMean, ops.BatchVariance: // with BatchNorm
	case ops.BatchNormGradInput, ops.BatchNormGradGamma:
		l.normGrad(l.Norms[in[0]])
	case ops.Activation:
		x, y := l.of(in[0], l.half), l.create(n)
		l.over(y.total(), "activate"+suffix(y.half), l.as(x, y.half).ref, y.ref, lower.Activation(op.F), y.count())
	case ops.ActivationGrad:
		l.activationGrad(n, in, op)
	case ops.Dropout:
		l.dropout(n, in[0], op)
	case ops.DropoutGrad:
		l.dropout(n, in[0], ops.Dropout(op))
	case ops.Noise:
		l.noise(n, in[0], op)
	case ops.MaxPool2:
		l.maxPool(n, in[0])
	case ops.MaxPool2Grad:
		l.maxPoolGrad(n, in)
	case ops.Upsample2:
		x, y := l.of(in[0], l.half), l.create(n)
		l.over(y.total(), "upsample"+suffix(y.half), l.as(x, y.half).ref, y.ref, int32(y.h), int32(y.w), int32(y.c), y.count())
	case ops.Upsample2Grad:
		dy, dx := l.of(in[0], l.half), l.create(n)
		l.over(dx.total(), "upsample_grad"+suffix(dx.half), l.as(dy, dx.half).ref, dx.ref, int32(dy.h), int32(dy.w), int32(dy.c), dx.count())
	case ops.Add:
		l.sum(n, in)
	case ops.BCEWithLogits, ops.MSE, ops.Blend, ops.SoftmaxCrossEntropy, ops.BCEWithLogitsGrad, ops.MSEGrad, ops.BlendGrad, ops.SoftmaxCrossEntropyGrad:
		l.loss()
	default:
		if !ops.IsGradientSum(n) {
			return fmt.Errorf("the CUDA engine has no kernel for %v", n.Op())
		}
		l.sum(n, in)
	}
	return nil
}

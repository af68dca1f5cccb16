package ops

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

//go:generate go run gen.go

// kernel is what tells one op from another; gorgonia_gen.go makes a gorgonia.Op
// of it.
type kernel interface {
	// ranks are the inputs' numbers of axes, then the output's; 0 is a scalar.
	ranks() []int
	// shape is the output's shape; the inputs have the ranks promised.
	shape(in []tensor.Shape) (tensor.Shape, error)
	// run computes y, which is zero, from inputs that shape has accepted.
	run(in []array, y array)
}

// array is a tensor in host memory, row-major.
type array struct {
	s tensor.Shape
	v []float32
}

// plane is the H·W values of image n and channel c.
func (a array) plane(n, c int) []float32 {
	size := a.s[2] * a.s[3]
	at := (n*a.s[1] + c) * size
	return a.v[at : at+size]
}

func arity(k kernel) int { return len(k.ranks()) - 1 }

func signature(k kernel) hm.Type {
	var types []hm.Type
	for _, rank := range k.ranks() {
		if rank == 0 {
			types = append(types, tensor.Float32)
			continue
		}
		types = append(types, gorgonia.TensorType{Dims: rank, Of: tensor.Float32})
	}
	return hm.NewFnType(types...)
}

func hashcode(op interface{ WriteHash(hash.Hash) }) uint32 {
	h := fnv.New32a()
	op.WriteHash(h)
	return h.Sum32()
}

func infer(k kernel, in []gorgonia.DimSizer) (tensor.Shape, error) {
	shapes, err := gorgonia.DimSizersToShapes(in)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", k, err)
	}
	return check(k, shapes)
}

// check is the shape rule with the number of inputs and their ranks checked.
func check(k kernel, in []tensor.Shape) (tensor.Shape, error) {
	ranks := k.ranks()
	if len(in) != len(ranks)-1 {
		return nil, fmt.Errorf("%v: %d inputs, it takes %d", k, len(in), len(ranks)-1)
	}
	for i, s := range in {
		if len(s) != ranks[i] {
			return nil, fmt.Errorf("%v: input %d has shape %v, it takes %d axes", k, i, s, ranks[i])
		}
	}
	out, err := k.shape(in)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", k, err)
	}
	return out, nil
}

func do(k kernel, values []gorgonia.Value) (gorgonia.Value, error) {
	in, shapes := make([]array, len(values)), make([]tensor.Shape, len(values))
	for i, v := range values {
		shapes[i] = v.Shape()
		switch data := v.Data().(type) {
		case []float32:
			in[i] = array{v.Shape(), data}
		case float32:
			in[i] = array{v.Shape(), []float32{data}}
		default:
			return nil, fmt.Errorf("%v: input %d holds %T, it takes float32", k, i, data)
		}
	}
	s, err := check(k, shapes)
	if err != nil {
		return nil, err
	}
	if len(s) == 0 {
		y := array{s, make([]float32, 1)}
		k.run(in, y)
		return gorgonia.NewF32(y.v[0]), nil
	}
	y := array{s, make([]float32, s.TotalSize())}
	k.run(in, y)
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(y.v)), nil
}

// same is the shape rule of ops whose inputs from first on have the shape of
// the first input, which is the output's too.
func same(in []tensor.Shape, others ...int) (tensor.Shape, error) {
	for _, i := range others {
		if !equal(in[0], in[i]) {
			return nil, fmt.Errorf("input %d has shape %v, input 0 has %v: they must be one", i, in[i], in[0])
		}
	}
	return in[0].Clone(), nil
}

// channels checks that vectors have one value a channel of x.
func channels(x tensor.Shape, vectors ...tensor.Shape) error {
	for _, v := range vectors {
		if v[0] != x[1] {
			return fmt.Errorf("a vector of %d values for the %d channels of %v", v[0], x[1], x)
		}
	}
	return nil
}

// equal compares shapes exactly; tensor.Shape.Eq takes (1) for a scalar.
func equal(a, b tensor.Shape) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func halves(s tensor.Shape) tensor.Shape {
	return tensor.Shape{s[0], s[1], (s[2] + 1) / 2, (s[3] + 1) / 2}
}

package compress

import (
	"errors"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/onnx"
	"moncae/internal/ort"
)

// net is a model of one float32 input and one float32 output, whose first axes
// are the batch.
type net struct {
	name    string
	session *ort.Session
	model   *onnx.Model
	in, out onnx.Value
	fixed   int // the model's own batch size; 0: any
}

func openNet(path string, model *onnx.Model, o ort.Options) (*net, error) {
	n := &net{name: path, model: model}
	ins, outs := model.Inputs(), model.Outputs()
	if len(ins) != 1 || len(outs) != 1 {
		return nil, fault.Usagef("%s has %d inputs and %d outputs; a model of one image or latent in and one out is wanted", path, len(ins), len(outs))
	}
	n.in, n.out = ins[0], outs[0]
	for _, v := range []onnx.Value{n.in, n.out} {
		if v.Type != onnx.Float {
			return nil, fault.Usagef("%s: %q is %v; float32 is wanted", path, v.Name, v.Type)
		}
		if len(v.Dims) < 2 {
			return nil, fault.Usagef("%s: %q has the shape %v; a batch of images or latents is wanted", path, v.Name, v.Dims)
		}
	}
	if n.in.Dims[0] > 0 {
		n.fixed = int(n.in.Dims[0])
	}
	o.Name = path
	var err error
	n.session, err = ort.OpenModel(model, o)
	return n, err
}

// run takes rows from in to out, whose shapes behind the batch axis are given. A
// model with a batch size of its own must be given whole batches.
func (n *net) run(rows int, in []float32, inShape []int64, out []float32, outShape []int64) error {
	with := func(shape []int64) []int64 { return append([]int64{int64(rows)}, shape...) }
	return n.session.Run(
		[]ort.Tensor{ort.Floats(in, with(inShape)...)},
		[]ort.Tensor{ort.Floats(out, with(outShape)...)})
}

// axes are the sides of a shape as a model with the layout and rank has them.
func axes(s arch.Shape, l Layout, rank int) []int64 {
	switch {
	case rank == 2:
		return []int64{int64(s.Values())}
	case rank == 3:
		return []int64{int64(s.C), int64(s.H)}
	case l == NHWC:
		return []int64{int64(s.H), int64(s.W), int64(s.C)}
	}
	return []int64{int64(s.C), int64(s.H), int64(s.W)}
}

// shapeOf reads an image's or latent's shape from a value's sides; −1 stays.
func shapeOf(v onnx.Value, l Layout) (arch.Shape, error) {
	d := v.Dims[1:]
	switch {
	case len(d) == 1:
		return arch.Shape{C: int(d[0]), H: 1, W: 1}, nil
	case len(d) == 2:
		return arch.Shape{C: int(d[0]), H: int(d[1]), W: 1}, nil
	case len(d) == 3 && l == NHWC:
		return arch.Shape{C: int(d[2]), H: int(d[0]), W: int(d[1])}, nil
	case len(d) == 3:
		return arch.Shape{C: int(d[0]), H: int(d[1]), W: int(d[2])}, nil
	}
	return arch.Shape{}, errors.New("it has more than 4 axes")
}

// transpose takes rows of maps between [C, H·W] and [H·W, C]: a is the first
// side of what comes in.
func transpose(to, from []float32, a, b int) {
	for ; len(from) > 0; from, to = from[a*b:], to[a*b:] {
		for i := range a {
			for j, v := range from[i*b : (i+1)*b] {
				to[j*a+i] = v
			}
		}
	}
}

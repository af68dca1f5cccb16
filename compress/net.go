package compress

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/half"
	"moncae/internal/modelinput"
	"moncae/internal/onnx"
	"moncae/internal/ort"
)

// net is a model of one input and one output, whose first axes are the batch. It is
// given and gives float32; a model of other types has its values converted.
type net struct {
	name    string
	session *ort.Session
	model   *onnx.Model
	in, out onnx.Value
	fixed   int // the model's own batch size; 0: any
}

// inputTypes and outputTypes are those that run converts.
var (
	inputTypes  = []onnx.Type{onnx.Float, onnx.Float16, onnx.Uint8}
	outputTypes = []onnx.Type{onnx.Float, onnx.Float16}
)

// openNet opens a model, of whose outputs one is taken; "": the only one.
func openNet(path string, model *onnx.Model, output string, o ort.Options) (*net, error) {
	n := &net{name: path, model: model}
	ins, outs := model.Inputs(), model.Outputs()
	if len(ins) != 1 {
		return nil, fault.Usagef("%s takes %d inputs: %s; a model of one image or latent is wanted: export one in which the others are constants", path, len(ins), told(ins))
	}
	at := slices.IndexFunc(outs, func(v onnx.Value) bool { return v.Name == output })
	switch {
	case output != "" && at < 0:
		return nil, fault.Usagef("--output %s: %s gives %s", output, path, told(outs))
	case output == "" && len(outs) > 1:
		return nil, fault.Usagef("%s gives %d outputs: %s; say which is the latent: --output %s", path, len(outs), told(outs), outs[0].Name)
	}
	n.in, n.out = ins[0], outs[max(at, 0)]
	if !slices.Contains(inputTypes, n.in.Type) {
		return nil, fault.Usagef("%s: input %q is %v; float32, float16 or uint8 is wanted: export the model so", path, n.in.Name, n.in.Type)
	}
	if !slices.Contains(outputTypes, n.out.Type) {
		return nil, fault.Usagef("%s: output %q is %v; float32 or float16 is wanted: export the model so", path, n.out.Name, n.out.Type)
	}
	if len(n.in.Dims) < 2 {
		return nil, fault.Usagef("%s: input %q has the shape %v; a batch of images or latents is wanted", path, n.in.Name, n.in.Dims)
	}
	if n.in.Dims[0] > 0 {
		n.fixed = int(n.in.Dims[0])
	}
	o.Name, o.Output = path, n.out.Name
	var err error
	n.session, err = ort.OpenModel(model, o)
	return n, err
}

// told names inputs or outputs with their shapes.
func told(vs []onnx.Value) string {
	words := make([]string, len(vs))
	for i, v := range vs {
		words[i] = fmt.Sprintf("%s %s", v.Name, sides(v.Dims))
	}
	return strings.Join(words, ", ")
}

// sides are a shape for people, N×8×?×?: the batch, and what is open.
func sides(dims []int64) string {
	words := make([]string, len(dims))
	for i, d := range dims {
		switch {
		case d >= 0:
			words[i] = fmt.Sprint(d)
		case i == 0:
			words[i] = "N"
		default:
			words[i] = "?"
		}
	}
	return "[" + strings.Join(words, "×") + "]"
}

// scratch is what one worker needs for a batch.
type scratch struct {
	in, out         []float32
	halfIn, halfOut []uint16
	bytes           []uint8
}

// run takes rows from in to out, whose shapes behind the batch axis are given. A
// model with a batch size of its own must be given whole batches.
func (n *net) run(w *scratch, rows int, in []float32, inShape []int64, out []float32, outShape []int64) error {
	y := ort.Floats(out, batched(rows, outShape)...)
	if n.out.Type == onnx.Float16 {
		w.halfOut = sized(w.halfOut, len(out))
		y.Data = w.halfOut
	}
	if err := n.session.Run([]ort.Tensor{n.input(w, rows, in, inShape)}, []ort.Tensor{y}); err != nil {
		return err
	}
	if n.out.Type == onnx.Float16 {
		for i, h := range w.halfOut {
			out[i] = half.Value(h)
		}
	}
	return nil
}

// input is a tensor of the model's own type.
func (n *net) input(w *scratch, rows int, in []float32, shape []int64) ort.Tensor {
	x := ort.Floats(in, batched(rows, shape)...)
	switch n.in.Type {
	case onnx.Float16:
		w.halfIn = sized(w.halfIn, len(in))
		for i, v := range in {
			w.halfIn[i] = half.Of(v)
		}
		x.Data = w.halfIn
	case onnx.Uint8:
		w.bytes = sized(w.bytes, len(in))
		for i, v := range in {
			w.bytes[i] = uint8(v)
		}
		x.Data = w.bytes
	}
	return x
}

// tried is the fault of a model that doesn't run at all, nil without one.
func (n *net) tried(err error) error {
	switch {
	case err == nil:
		return nil
	case n.model.Own():
		return fault.Damagedf("it can be opened, and not run: %w; `moncae export` writes it again", err)
	}
	return fault.Usagef("it can be opened, and not run: %w", err)
}

func batched(rows int, shape []int64) []int64 { return append([]int64{int64(rows)}, shape...) }

// axes are the sides of a shape as a model with the layout and rank has them.
func axes(s arch.Shape, l modelinput.Layout, rank int) []int64 {
	switch {
	case rank == 2:
		return []int64{int64(s.Values())}
	case rank == 3:
		return []int64{int64(s.C), int64(s.H)}
	case l == modelinput.NHWC:
		return []int64{int64(s.H), int64(s.W), int64(s.C)}
	}
	return []int64{int64(s.C), int64(s.H), int64(s.W)}
}

// shapeOf reads an image's or latent's shape from the sides of a batch; −1 stays.
func shapeOf(dims []int64, l modelinput.Layout) (arch.Shape, error) {
	if len(dims) < 2 || len(dims) > 4 {
		return arch.Shape{}, errors.New("2 to 4 axes are wanted, the first of them the batch")
	}
	d := dims[1:]
	switch {
	case len(d) == 1:
		return arch.Shape{C: int(d[0]), H: 1, W: 1}, nil
	case len(d) == 2:
		return arch.Shape{C: int(d[0]), H: int(d[1]), W: 1}, nil
	case l == modelinput.NHWC:
		return arch.Shape{C: int(d[2]), H: int(d[0]), W: int(d[1])}, nil
	}
	return arch.Shape{C: int(d[0]), H: int(d[1]), W: int(d[2])}, nil
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

package onnxnet

import (
	"moncae/internal/arch"
	"moncae/internal/onnx"
	"moncae/internal/version"
)

// The names of the models' inputs and outputs.
const (
	Image          = "image"          // N×C×H×W float32 in [0, 1]
	Latent         = "latent"         // N×C×H×W float32
	Reconstruction = "reconstruction" // the autoencoder's output: an image
	Logits         = "logits"         // N×classes float32
)

// Networks are a candidate's three models, without metadata.
type Networks struct {
	Encoder     *onnx.Model // Image → Latent
	Decoder     *onnx.Model // Latent → Image
	Autoencoder *onnx.Model // Image → Reconstruction
}

// Build writes an autoencoder's models. dtype is onnx.Float or onnx.Float16: the
// type of the parameters and of what is computed between; inputs and outputs
// are float32 in both.
func Build(a arch.Arch, w arch.Weights, dtype onnx.Type) (Networks, error) {
	if err := a.Validate(); err != nil {
		return Networks{}, err
	}
	if err := w.Check(a.Params()); err != nil {
		return Networks{}, err
	}
	encode := func(w *writer, x value) value { return w.stack("encoder", a.Encoder, a.Input, x) }
	decode := func(w *writer, x value) value {
		y := w.stack("decoder", a.Decoder, a.Latent(), x)
		return value{name: w.graph.Node("Sigmoid", "decoder.sigmoid", []string{y.name}), flat: y.flat}
	}
	image, latent := input{Image, a.Input}, input{Latent, a.Latent()}
	var n Networks
	for _, m := range []struct {
		to      **onnx.Model
		name    string
		in, out input
		body    func(*writer, value) value
	}{
		{&n.Encoder, "encoder", image, latent, encode},
		{&n.Decoder, "decoder", latent, image, decode},
		{&n.Autoencoder, "autoencoder", image, input{Reconstruction, a.Input},
			func(w *writer, x value) value { return decode(w, encode(w, x)) }},
	} {
		writer := &writer{graph: onnx.NewGraph(m.name), weights: w, dtype: dtype}
		model, err := writer.model(m.in, m.out, m.body)
		if err != nil {
			return Networks{}, err
		}
		*m.to = model
	}
	return n, nil
}

// input is an input's or an output's name and shape.
type input struct {
	name  string
	shape arch.Shape
}

// model writes one model: the casts to and from dtype around the body.
func (w *writer) model(in, out input, body func(*writer, value) value) (*onnx.Model, error) {
	w.graph.Input(in.value())
	x := value{name: in.name}
	if w.dtype != onnx.Float {
		x.name = w.graph.Node("Cast", "cast.in", []string{in.name}, onnx.IntAttr("to", int64(w.dtype)))
	}
	y := body(w, x)
	end := layer{prefix: out.name, in: out.shape}
	name := w.spatial(end, y)
	if w.dtype != onnx.Float {
		name = w.graph.Node("Cast", "cast.out", []string{name}, onnx.IntAttr("to", int64(onnx.Float)))
	}
	if name == in.name { // no layer at all
		w.graph.Node("Identity", out.name, []string{in.name})
	}
	w.graph.Rename(out.name)
	w.graph.Output(out.value())
	if w.err != nil {
		return nil, w.err
	}
	return w.graph.Model(version.Number(), nil), nil
}

func (in input) value() onnx.Value {
	return onnx.Value{Name: in.name, Type: onnx.Float, Dims: []int64{-1, int64(in.shape.C), int64(in.shape.H), int64(in.shape.W)}}
}

package onnxnet

import (
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/onnx"
	"moncae/internal/version"
)

// Head is a classifier of latents.
type Head struct {
	In      arch.Shape
	Stack   arch.Stack // ends in classes×1×1; parameters are named head.0.weight and so on
	Weights arch.Weights
	// Mean and Scale standardise the latent before the stack, one value of each a
	// value of the latent in CHW order: (x − Mean)·Scale. Nil leaves it as it is.
	Mean, Scale []float32
	Metadata    map[string]string
}

// Model writes the head: Latent N×C×H×W → Logits N×classes, float32.
func (h Head) Model() (*onnx.Model, error) {
	shapes, err := h.Stack.Shapes(h.In)
	if err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	out := shapes[len(shapes)-1]
	if out.H != 1 || out.W != 1 {
		return nil, fmt.Errorf("head: its output is %v; classes×1×1 is wanted", out)
	}
	if err := h.Weights.Check(h.Stack.Params("head", h.In)); err != nil {
		return nil, fmt.Errorf("head: %w", err)
	}
	if len(h.Mean) != len(h.Scale) || h.Mean != nil && len(h.Mean) != h.In.Values() {
		return nil, fmt.Errorf("head: %d means and %d scales for %d values", len(h.Mean), len(h.Scale), h.In.Values())
	}
	w := &writer{graph: onnx.NewGraph("head"), weights: h.Weights, dtype: onnx.Float}
	in := input{Latent, h.In}
	w.graph.Input(in.value())
	x := value{name: in.name}
	if h.Mean != nil {
		centred := w.graph.Node("Sub", "standard.centred", []string{x.name, w.floats("standard.mean", h.Mean, 1, h.In.C, h.In.H, h.In.W)})
		x.name = w.graph.Node("Mul", "standard.scaled", []string{centred, w.floats("standard.scale", h.Scale, 1, h.In.C, h.In.H, h.In.W)})
	}
	if y := w.stack("head", h.Stack, h.In, x); !y.flat {
		w.graph.Node("Flatten", Logits, []string{y.name}, onnx.IntAttr("axis", 1))
	}
	w.graph.Rename(Logits)
	w.graph.Output(onnx.Value{Name: Logits, Type: onnx.Float, Dims: []int64{-1, int64(out.C)}})
	if w.err != nil {
		return nil, fmt.Errorf("head: %w", w.err)
	}
	return w.graph.Model(version.Number(), h.Metadata), nil
}

// firstSameOpset and lastSameOpset are the oldest and the newest version of the
// standard operators in which those that Head writes are as in onnx.Opset.
const (
	firstSameOpset = 11
	lastSameOpset  = 25
)

// Pipeline is the model from Image to Logits: an encoder and a head that Model
// wrote, with the encoder's metadata. The encoder may be someone else's, of
// opset 11 to 25.
func Pipeline(encoder, head *onnx.Model) (*onnx.Model, error) {
	if v := encoder.Opset(); v >= firstSameOpset && v <= lastSameOpset {
		head = head.WithOpset(v)
	}
	m, err := onnx.Concat("pipeline", encoder, head)
	if err != nil {
		return nil, fault.Usagef("the encoder and the head don't fit together: %w", err)
	}
	return m, nil
}

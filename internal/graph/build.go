package graph

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"moncae/internal/arch"
	"moncae/internal/ops"
)

// Autoencoder builds the graphs of an autoencoder for batches of the given
// size, with a loss that Loss.Blend reads. The seed is that of the dropout masks; dropout
// layers are numbered through the network, encoder first, those of rate 0 too.
func Autoencoder(a arch.Arch, batch int, loss Loss, seed uint64) (*Net, error) {
	return Denoiser(a, batch, loss, 0, seed)
}

// Denoiser is an Autoencoder whose trainings see images with normal noise of standard
// deviation sigma (pixels are in [0, 1]; ops.Noise), and compare with the images without.
// The seed is the noise's too. With sigma 0 there is none.
func Denoiser(a arch.Arch, batch int, loss Loss, sigma float64, seed uint64) (*Net, error) {
	if err := a.Validate(); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	blend, err := loss.Blend()
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	parts := []part{{"encoder", a.Encoder}, {"decoder", a.Decoder}}
	net := &Net{Input: a.Input, Output: a.Input, Latent: a.Latent(), Batch: batch, Loss: loss, Blend: blend, Denoise: sigma, Params: a.Params()}
	if err := net.build(parts, seed); err != nil {
		return nil, err
	}
	return net, nil
}

// Classifier builds the graphs of a classifier of features, with loss
// CrossEntropy. The stack must end in classes×1×1; its parameters' names begin
// with "head".
func Classifier(in arch.Shape, s arch.Stack, classes, batch int, seed uint64) (*Net, error) {
	if in.C < 1 || in.H < 1 || in.W < 1 {
		return nil, fmt.Errorf("graph: input %v: every side must be at least 1", in)
	}
	shapes, err := s.Shapes(in)
	if err != nil {
		return nil, fmt.Errorf("graph: head: %w", err)
	}
	out := arch.Shape{C: classes, H: 1, W: 1}
	if last := shapes[len(shapes)-1]; last != out || classes < 2 {
		return nil, fmt.Errorf("graph: head: its output is %v, %d classes take %v, of at least 2", last, classes, out)
	}
	net := &Net{Input: in, Output: out, Batch: batch, Loss: CrossEntropy, Params: s.Params("head", in)}
	if err := net.build([]part{{"head", s}}, seed); err != nil {
		return nil, err
	}
	return net, nil
}

type part struct {
	name  string
	stack arch.Stack
}

func (net *Net) build(parts []part, seed uint64) error {
	if net.Batch < 1 {
		return fmt.Errorf("graph: batch of %d", net.Batch)
	}
	if err := net.train(parts, seed); err != nil {
		return fmt.Errorf("graph: training: %w", err)
	}
	if err := net.infer(parts); err != nil {
		return fmt.Errorf("graph: inference: %w", err)
	}
	return nil
}

func (net *Net) train(parts []part, seed uint64) error {
	b := newBuilder(net, arch.Param.Trained)
	b.training, b.seed, b.stats = true, seed, map[string]*gorgonia.Node{}
	input := b.input(net.Batch, net.Input)
	target, loss := input, net.Blend.op()
	if net.Loss == CrossEntropy {
		loss = ops.SoftmaxCrossEntropy{}
		target = gorgonia.NewTensor(b.graph, tensor.Float32, 1, gorgonia.WithShape(net.Batch), gorgonia.WithName("target"))
	}
	x := b.noise(net.Denoise, input)
	for _, p := range parts {
		x = b.stack(p, x)
	}
	cost := b.apply(loss, x, target)
	if b.err != nil {
		return b.err
	}
	net.Train = Training{
		Graph: b.graph, Input: input, Target: target, Step: b.step, Loss: cost,
		Params: b.params, Grads: map[string]*gorgonia.Node{}, Stats: b.stats,
	}
	return net.Train.differentiate(net.Params)
}

// differentiate adds the gradients of the trained parameters, in their order.
func (t *Training) differentiate(params []arch.Param) error {
	var names []string
	var wrt []*gorgonia.Node
	for _, p := range params {
		if p.Trained() {
			names, wrt = append(names, p.Name), append(wrt, t.Params[p.Name])
		}
	}
	if len(wrt) == 0 {
		return fmt.Errorf("the network has no parameter to train")
	}
	// As gorgonia.Grad, but for its constant, which all graphs share: building two at
	// once writes to it.
	one := t.Graph.AddNode(gorgonia.NewConstant(float32(1)))
	grads, err := gorgonia.Backpropagate(gorgonia.Nodes{t.Loss}, gorgonia.Nodes{one}, wrt)
	if err != nil {
		return err
	}
	for i, name := range names {
		t.Grads[name] = grads[i]
	}
	return nil
}

func (net *Net) infer(parts []part) error {
	b := newBuilder(net, func(arch.Param) bool { return true })
	input := b.input(net.Batch, net.Input)
	var latent *gorgonia.Node
	x := input
	for i, p := range parts {
		x = b.stack(p, x)
		if i == 0 && len(parts) == 2 {
			latent = x
		}
	}
	net.Infer = Inference{Graph: b.graph, Input: input, Params: b.params, Latent: latent, Logits: x}
	return b.err
}

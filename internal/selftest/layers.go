package selftest

import (
	"context"
	"errors"
	"fmt"

	"moncae/internal/arch"
	"moncae/internal/engine"
	"moncae/internal/graph"
)

func conv(filters, kernel, stride int) arch.Layer {
	return arch.Layer{Kind: arch.Conv, Filters: filters, Kernel: kernel, Stride: stride}
}

func activation(f arch.Activation) arch.Layer {
	return arch.Layer{Kind: arch.Activate, Activation: f}
}

func upsample(h, w int) arch.Layer { return arch.Layer{Kind: arch.Upsample, To: &[2]int{h, w}} }

func transposed(filters, kernel, h, w int) arch.Layer {
	return arch.Layer{Kind: arch.Transpose, Filters: filters, Kernel: kernel, To: &[2]int{h, w}}
}

// everyLayer uses every layer of autoencoders, with odd sides, a stride and a residual.
func everyLayer(f arch.Activation) arch.Arch {
	return arch.Arch{
		Input: arch.Shape{C: 3, H: 9, W: 8},
		Encoder: arch.Stack{
			conv(12, 3, 1), {Kind: arch.BatchNorm}, activation(f), {Kind: arch.MaxPool}, {Kind: arch.Dropout, Rate: 0.2},
			conv(12, 5, 1), activation(f), {Kind: arch.Add, From: 5}, conv(6, 3, 2),
		},
		Decoder: arch.Stack{
			activation(f), upsample(5, 4), conv(10, 3, 1), activation(f), {Kind: arch.BatchNorm},
			transposed(7, 5, 9, 8), activation(f), conv(3, 3, 1),
		},
	}
}

// layers holds every layer, activation, loss and optimiser against the reference.
func layers(_ context.Context, t *trials) error {
	var errs []error
	against := func(name string, s subject, err error, rule arch.Optimizer, steps int) {
		errs = append(errs, t.check(name, func() (string, error) {
			if err != nil {
				return "", err
			}
			far, err := t.hold(s, rule, engine.Float32, steps)
			return fmt.Sprintf("largest difference %.1g", far), err
		}))
	}
	for _, f := range []arch.Activation{arch.ReLU, arch.Sigmoid, arch.LeakyReLU, arch.ELU, arch.SiLU} {
		s, err := imagesFor(everyLayer(f), 4, graph.BCE)
		against("layers with "+string(f), s, err, arch.SGD, 1)
	}
	s, err := imagesFor(everyLayer(arch.ReLU), 4, graph.MSE)
	against("loss mse", s, err, arch.SGD, 1)
	for _, rule := range []arch.Optimizer{arch.Adam, arch.RMSprop, arch.Adagrad, arch.Adadelta, arch.SGD} {
		against("optimizer "+string(rule), s, err, rule, 3)
	}
	head := arch.Stack{{Kind: arch.Dense, Filters: 16}, activation(arch.ReLU), {Kind: arch.Dense, Filters: 10}}
	s, err = featuresFor(arch.Shape{C: 4, H: 2, W: 3}, head, 10, 8)
	against("classifier", s, err, arch.SGD, 1)
	return errors.Join(errs...)
}

// Convolution is one shape in one precision: how far forward pass and gradients
// are from the reference, relative to their size.
type Convolution struct {
	Channels   int              `json:"channels"`
	Filters    int              `json:"filters"`
	Kernel     int              `json:"kernel"`
	Stride     int              `json:"stride"`
	Transposed bool             `json:"transposed,omitempty"`
	Precision  engine.Precision `json:"precision"`
	Distance   float64          `json:"distance"`
}

// shapes are 48 convolutions: few and many channels, all kernels, both strides, and the
// transposed.
func shapes() (all []Convolution) {
	filters := []int{1, 4, 12, 32, 65}
	add := func(c, k, s int, transposed bool) {
		all = append(all, Convolution{Channels: c, Filters: filters[len(all)%len(filters)], Kernel: k, Stride: s, Transposed: transposed})
	}
	for _, c := range []int{1, 3, 8, 20, 33} {
		for _, k := range []int{1, 3, 5, 7} {
			add(c, k, 1, false)
			add(c, k, 2, false)
		}
	}
	for _, c := range []int{3, 20} {
		for _, k := range []int{1, 3, 5, 7} {
			add(c, k, 2, true)
		}
	}
	return all
}

// network has the convolution, and as little as can be beside it.
func (c Convolution) network() arch.Arch {
	const h, w = 10, 9
	if c.Transposed {
		return arch.Arch{
			Input:   arch.Shape{C: c.Filters, H: h, W: w},
			Encoder: arch.Stack{conv(c.Channels, 3, 2)},
			Decoder: arch.Stack{transposed(c.Filters, c.Kernel, h, w)},
		}
	}
	a := arch.Arch{
		Input:   arch.Shape{C: c.Channels, H: h, W: w},
		Encoder: arch.Stack{conv(c.Filters, c.Kernel, c.Stride)},
		Decoder: arch.Stack{conv(c.Channels, c.Kernel, 1)},
	}
	if c.Stride == 2 {
		a.Decoder = arch.Stack{upsample(h, w), conv(c.Channels, c.Kernel, 1)}
	}
	return a
}

// String says what it is: its shape, and whether it is transposed.
func (c Convolution) String() string {
	what := fmt.Sprintf("%d→%d channels, kernel %d, stride %d", c.Channels, c.Filters, c.Kernel, c.Stride)
	if c.Transposed {
		what += ", transposed"
	}
	return what
}

func convolutions(_ context.Context, t *trials) error {
	for _, p := range t.engine.Info().Precisions {
		err := t.check("convolutions in "+string(p), func() (string, error) {
			return t.convolutionsIn(p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *trials) convolutionsIn(p engine.Precision) (note string, err error) {
	most, count := 0.0, 0
	for _, c := range shapes() {
		s, err := imagesFor(c.network(), 3, graph.BCE)
		if err != nil {
			return "", err
		}
		far, err := t.hold(s, arch.SGD, p, 1)
		if err != nil {
			return "", fmt.Errorf("%v: %w", c, err)
		}
		c.Precision, c.Distance = p, far
		if err := t.emit(Entry{Convolution: &c}); err != nil {
			return "", err
		}
		most, count = max(most, far), count+1
	}
	return fmt.Sprintf("%d, largest difference %.1g", count, most), nil
}

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

// everyLayer uses every layer of autoencoders, with odd sides, a stride and a residual.
func everyLayer(f arch.Activation) arch.Arch {
	return arch.Arch{
		Input: arch.Shape{C: 3, H: 9, W: 8},
		Encoder: arch.Stack{
			conv(12, 3, 1), {Kind: arch.BatchNorm}, activation(f), {Kind: arch.MaxPool}, {Kind: arch.Dropout, Rate: 0.2},
			conv(12, 5, 1), activation(f), {Kind: arch.Add, From: 5}, conv(6, 3, 2),
		},
		Decoder: arch.Stack{
			activation(f), upsample(5, 4), conv(10, 3, 1), activation(f), {Kind: arch.BatchNorm}, upsample(9, 8), conv(3, 3, 1),
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
	Channels  int              `json:"channels"`
	Filters   int              `json:"filters"`
	Kernel    int              `json:"kernel"`
	Stride    int              `json:"stride"`
	Precision engine.Precision `json:"precision"`
	Distance  float64          `json:"distance"`
}

// shapes are 40 convolutions: few and many channels, all kernels, both strides.
func shapes() (all []Convolution) {
	filters := []int{1, 4, 12, 32, 65}
	for _, c := range []int{1, 3, 8, 20, 33} {
		for _, k := range []int{1, 3, 5, 7} {
			for s := 1; s <= 2; s++ {
				all = append(all, Convolution{Channels: c, Filters: filters[len(all)%len(filters)], Kernel: k, Stride: s})
			}
		}
	}
	return all
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
		a := arch.Arch{
			Input:   arch.Shape{C: c.Channels, H: 10, W: 9},
			Encoder: arch.Stack{conv(c.Filters, c.Kernel, c.Stride)},
			Decoder: arch.Stack{conv(c.Channels, c.Kernel, 1)},
		}
		if c.Stride == 2 {
			a.Decoder = arch.Stack{upsample(10, 9), conv(c.Channels, c.Kernel, 1)}
		}
		s, err := imagesFor(a, 3, graph.BCE)
		if err != nil {
			return "", err
		}
		far, err := t.hold(s, arch.SGD, p, 1)
		if err != nil {
			return "", fmt.Errorf("%d→%d channels, kernel %d, stride %d: %w", c.Channels, c.Filters, c.Kernel, c.Stride, err)
		}
		c.Precision, c.Distance = p, far
		if err := t.emit(Entry{Convolution: &c}); err != nil {
			return "", err
		}
		most, count = max(most, far), count+1
	}
	return fmt.Sprintf("%d, largest difference %.1g", count, most), nil
}

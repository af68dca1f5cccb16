package view

import (
	"fmt"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/report"
)

// layers are a network's, the encoder's before the decoder's; the encoder's last
// one makes the latent.
func layers(a arch.Arch) []report.Layer {
	encoder := stack("encoder", a.Encoder, a.Input)
	encoder[len(encoder)-1].Latent = true
	return append(encoder, stack("decoder", a.Decoder, a.Latent())...)
}

func stack(name string, s arch.Stack, in arch.Shape) []report.Layer {
	shapes, err := s.Shapes(in)
	if err != nil {
		panic(err) // a trained network: its shapes fit
	}
	all := make([]report.Layer, len(s))
	for i, l := range s {
		all[i] = report.Layer{
			Kind: string(l.Kind), Name: layerName(l), Shape: shapes[i+1],
			FLOPs: s[:i+1].FLOPs(in) - s[:i].FLOPs(in),
		}
	}
	for _, p := range s.Params(name, in) {
		var layer int
		if _, err := fmt.Sscanf(strings.TrimPrefix(p.Name, name+"."), "%d.", &layer); err != nil {
			panic(err) // Params names tensors so
		}
		if p.Trained() {
			all[layer].Params += p.Size()
		}
	}
	return all
}

func layerName(l arch.Layer) string {
	switch l.Kind {
	case arch.Conv:
		name := fmt.Sprintf("convolution %d×%d, %d filters", l.Kernel, l.Kernel, l.Filters)
		if l.Stride > 1 {
			name += fmt.Sprintf(", stride %d", l.Stride)
		}
		return name
	case arch.Transpose:
		return fmt.Sprintf("transposed convolution %d×%d, %d filters", l.Kernel, l.Kernel, l.Filters)
	case arch.BatchNorm:
		return "batch norm"
	case arch.Activate:
		return string(l.Activation)
	case arch.Dropout:
		return fmt.Sprintf("dropout %g", l.Rate)
	case arch.MaxPool:
		return "maximum of 2×2"
	case arch.Upsample:
		return "upsampling ×2"
	case arch.Add:
		return "add (residual)"
	case arch.Dense:
		return fmt.Sprintf("dense, %d outputs", l.Filters)
	}
	return string(l.Kind)
}

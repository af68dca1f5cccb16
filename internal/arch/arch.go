// Package arch describes convolutional networks: one typed, shape-checked
// value that the graph builder, the ONNX exporter, the cost model and the
// report all read, so that nobody has to reverse-engineer a graph.
//
// It is pure: no I/O, no clock, no randomness, no dependency on an engine.
// Every method costs time linear in the number of layers. Shapes are channels,
// height, width (the CHW of NCHW); a batch is added by whoever runs the network.
package arch

import (
	"encoding/json"
	"fmt"
	"math"
)

// Shape is one image's or one activation's channels, height and width.
type Shape struct{ C, H, W int }

// Values is the number of values in the shape, C·H·W.
func (s Shape) Values() int { return s.C * s.H * s.W }

func (s Shape) String() string { return fmt.Sprintf("%d×%d×%d", s.C, s.H, s.W) }

// MarshalJSON writes the shape as [C, H, W].
func (s Shape) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%d,%d]", s.C, s.H, s.W), nil
}

// Arch is a convolutional autoencoder. The encoder takes an image with values
// in [0, 1] to the latent; the decoder takes the latent to logits, and the
// sigmoid of a logit is the reconstructed value.
type Arch struct {
	Input   Shape `json:"input"`
	Encoder Stack `json:"encoder"`
	Decoder Stack `json:"decoder"`
}

// Latent is the shape of the encoder's output. The Arch must be valid.
func (a Arch) Latent() Shape {
	return a.Encoder.mustShapes(a.Input)[len(a.Encoder)]
}

// LOC is the level of compression, log10 of the number of latent values.
func (a Arch) LOC() float64 { return math.Log10(float64(a.Latent().Values())) }

// Validate tells the first thing that keeps the network from being built.
func (a Arch) Validate() error {
	if err := a.Input.check(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	enc, err := a.Encoder.Shapes(a.Input)
	if err != nil {
		return fmt.Errorf("encoder: %w", err)
	}
	dec, err := a.Decoder.Shapes(enc[len(enc)-1])
	if err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	if out := dec[len(dec)-1]; out != a.Input {
		return fmt.Errorf("decoder: its output is %v, the input is %v", out, a.Input)
	}
	return nil
}

// UnmarshalJSON reads [C, H, W].
func (s *Shape) UnmarshalJSON(b []byte) error {
	var v []int
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if len(v) != 3 {
		return fmt.Errorf("a shape has 3 sides, [C, H, W]; this has %d", len(v))
	}
	s.C, s.H, s.W = v[0], v[1], v[2]
	return nil
}

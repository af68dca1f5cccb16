package export

import (
	"context"
	"errors"
	"fmt"
	"math"

	"moncae/internal/arch"
	"moncae/internal/metric"
	"moncae/internal/onnx"
	"moncae/internal/onnxnet"
	"moncae/internal/ort"
	"moncae/internal/run"
)

// maxSampleImages is the most images that a certificate is made on.
const maxSampleImages = 256

// Tolerance is how far a runtime's value may be from the trainer's, relative to
// max(1, largest absolute value): float32 sums in another order, or float16
// parameters and intermediate values.
func Tolerance(dtype onnx.Type) float64 {
	if dtype == onnx.Float16 {
		return 1e-2
	}
	return 1e-4
}

// Check is one model's comparison with the trainer in one runtime.
type Check struct {
	Model      string  `json:"model"`   // encoder, decoder, autoencoder
	Runtime    string  `json:"runtime"` // with its version
	Images     int     `json:"images"`
	Difference float64 `json:"largest_difference"`
	Tolerance  float64 `json:"tolerance"`         // absolute, for these values
	Skipped    string  `json:"skipped,omitempty"` // why it was not compared
}

// Quality compares images with their reconstructions by the exported
// autoencoder, and by the trainer in float32: the loss of a smaller dtype.
type Quality struct {
	Images      int     `json:"images"`
	MSE         float64 `json:"mse"`
	PSNR        float64 `json:"psnr"`
	TrainerMSE  float64 `json:"trainer_mse"`
	TrainerPSNR float64 `json:"trainer_psnr"`
}

func quality(images, exported, trainer []float32, n int) Quality {
	q := Quality{Images: n, MSE: metric.MSE(exported, images), TrainerMSE: metric.MSE(trainer, images)}
	q.PSNR, q.TrainerPSNR = metric.PSNR(q.MSE), metric.PSNR(q.TrainerMSE)
	return q
}

// certify runs the networks through ONNX Runtime (on the CPU unless o names a
// device), and the encoder through onnx-go too where that can, and compares with
// the trainer. A difference above the tolerance is an error that says where.
func certify(n onnxnet.Networks, a arch.Arch, dtype onnx.Type, s run.Forward, o ort.Options) ([]Check, Quality, error) {
	images, err := count(s, a)
	if err != nil {
		return nil, Quality{}, err
	}
	if o.Device == "" {
		o.Device = "cpu"
	}
	_, ortVersion, err := ort.Load(o.Library)
	if err != nil {
		return nil, Quality{}, err
	}
	var checks []Check
	var q Quality
	for _, m := range []struct {
		name     string
		model    *onnx.Model
		in, want []float32
	}{
		{"encoder", n.Encoder, s.Images, s.Latents},
		{"decoder", n.Decoder, s.Latents, s.Outputs},
		{"autoencoder", n.Autoencoder, s.Images, s.Outputs},
	} {
		o.Name = m.name + ".onnx"
		got, err := runORT(m.model, m.in, images, 1, o)
		if err != nil {
			return nil, Quality{}, err
		}
		c, err := compare(got, m.want, images, Tolerance(dtype))
		c.Model, c.Runtime = m.name, "ONNX Runtime "+ortVersion
		if err != nil {
			return nil, Quality{}, fmt.Errorf("%s.onnx in %s: %w", m.name, c.Runtime, err)
		}
		checks = append(checks, c)
		if m.model == n.Autoencoder {
			q = quality(s.Images, got, s.Outputs[:len(got)], images)
		}
	}
	c, err := certifyOnnxGo(n.Encoder, a, s, images, Tolerance(dtype))
	if err != nil {
		return nil, Quality{}, fmt.Errorf("encoder.onnx in %s: %w", c.Runtime, err)
	}
	return append(checks, c), q, nil
}

// count is the number of images, all lengths checked.
func count(s run.Forward, a arch.Arch) (int, error) {
	image, latent := a.Input.Values(), a.Latent().Values()
	n := len(s.Images) / image
	if n < 1 || len(s.Images) != n*image || len(s.Latents) != n*latent || len(s.Outputs) != n*image {
		return 0, fmt.Errorf("sample of %d image values, %d latent values, %d output values: these are not one or more images of %v with latents of %v",
			len(s.Images), len(s.Latents), len(s.Outputs), a.Input, a.Latent())
	}
	return min(n, maxSampleImages), nil
}

// runORT runs the images in batches of two sizes, so that a batch size that
// slipped into the model shows: the first ones, then up to 64 at a time.
func runORT(m *onnx.Model, in []float32, images, first int, o ort.Options) (out []float32, err error) {
	session, err := ort.OpenModel(m, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	size := session.RowValues()
	first = min(first, images)
	add := func(y []float32, _, _ int) { out = append(out, y...) }
	if err := session.Rows(context.Background(), first, first, ort.FloatRows(in, size), add); err != nil {
		return nil, err
	}
	err = session.Rows(context.Background(), images-first, 64, ort.FloatRows(in[first*size:], size), add)
	return out, err
}

// compare gives the largest difference between the first images' values. NaN
// on either side is a difference.
func compare(got, want []float32, images int, tolerance float64) (Check, error) {
	if len(got) == 0 || len(got) > len(want) || len(got)%images != 0 {
		return Check{}, fmt.Errorf("%d values for %d images, the trainer has %d", len(got), images, len(want))
	}
	scale, worst, where := 1.0, -1.0, 0
	for i := range got {
		scale = max(scale, math.Abs(float64(want[i])))
		d := math.Abs(float64(got[i]) - float64(want[i]))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > worst {
			worst, where = d, i
		}
	}
	c := Check{Images: images, Difference: worst, Tolerance: tolerance * scale}
	if !(worst <= c.Tolerance) {
		per := len(got) / images
		return c, fmt.Errorf("value %d of image %d is %v, the trainer's is %v: the difference %.3g is above %.3g",
			where%per, where/per, got[where], want[where], worst, c.Tolerance)
	}
	return c, nil
}

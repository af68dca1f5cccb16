package compress

import (
	"errors"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/modelinput"
	"moncae/internal/ort"
)

// decoder is a net from latents to images.
type decoder struct {
	*net
	modelinput.Spec
	latent arch.Shape
	image  arch.Shape
}

// openDecoder opens a model that takes latents of the given shape. A zero image
// takes the shape that the model gives.
func openDecoder(path string, f modelinput.Spec, latent, image arch.Shape, o ort.Options) (*decoder, error) {
	model, err := readModel(path)
	if err != nil {
		return nil, err
	}
	d := &decoder{Spec: f, latent: latent}
	if d.net, err = openNet(path, model, "", o); err != nil {
		return nil, err
	}
	if err = d.shapes(image); err == nil {
		err = d.tried(d.decode(&scratch{}, make([]float32, d.latent.Values()), 1, make([]float32, d.image.Values())))
	}
	if err != nil {
		return nil, errors.Join(err, d.session.Close())
	}
	return d, nil
}

func (d *decoder) shapes(image arch.Shape) (err error) {
	in, err := shapeOf(d.in.Dims, d.Layout)
	if err != nil {
		return fault.Usagef("%s: input %q: %w", d.name, d.in.Name, err)
	}
	if !agree(in, d.latent) {
		return fault.Usagef("%s takes latents of %s; these are %v (C×H×W)", d.name, sides(d.in.Dims), d.latent)
	}
	if d.image, err = shapeOf(d.out.Dims, d.Layout); err != nil {
		return fault.Usagef("%s: output %q: %w", d.name, d.out.Name, err)
	}
	if image != (arch.Shape{}) {
		if !agree(d.image, image) {
			return fault.Usagef("%s gives images of %s; wanted are %v (C×H×W)", d.name, sides(d.out.Dims), image)
		}
		d.image = image
	}
	if min(d.image.C, d.image.H, d.image.W) < 1 {
		return fault.Usagef("%s: output %q has the shape %s, and the latents don't say the images' size: export the decoder with fixed sides", d.name, d.out.Name, sides(d.out.Dims))
	}
	return nil
}

// agree tells whether a model's shape, whose open sides are −1, can be want. A
// model of flat rows takes any shape with as many values.
func agree(model, want arch.Shape) bool {
	if model.H == 1 && model.W == 1 && model.C == want.Values() {
		return true
	}
	return (model.C < 0 || model.C == want.C) && (model.H < 0 || model.H == want.H) && (model.W < 0 || model.W == want.W)
}

// decode writes the images of n latents, NCHW, values in [0, 1].
func (d *decoder) decode(w *scratch, latents []float32, n int, images []float32) error {
	rows := n
	if d.fixed > 0 {
		rows = d.fixed
	}
	in, out := latents, images
	turnIn := d.Layout == modelinput.NHWC && len(d.in.Dims) == 4
	turnOut := d.Layout == modelinput.NHWC && len(d.out.Dims) == 4
	if turnIn || rows != n {
		w.in = sized(w.in, rows*d.latent.Values())
		in = w.in
		clear(in[len(latents):])
		if turnIn {
			transpose(in[:len(latents)], latents, d.latent.C, d.latent.H*d.latent.W)
		} else {
			copy(in, latents)
		}
	}
	if turnOut || rows != n {
		w.out = sized(w.out, rows*d.image.Values())
		out = w.out
	}
	if err := d.run(w, rows, in, axes(d.latent, d.Layout, len(d.in.Dims)), out, axes(d.image, d.Layout, len(d.out.Dims))); err != nil {
		return err
	}
	switch {
	case turnOut:
		transpose(images, out[:len(images)], d.image.H*d.image.W, d.image.C)
	case rows != n:
		copy(images, out)
	}
	d.Undo(images, d.image.C, d.image.H*d.image.W)
	return nil
}

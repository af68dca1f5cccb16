package compress

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"moncae/internal/arch"
	"moncae/internal/fault"
	"moncae/internal/onnx"
	"moncae/internal/ort"
)

// try runs a model that isn't moncae's on made-up images: for the latent's shape,
// which the model needn't say; for the batch, which it may take singly only; and for
// what makes latents useless without a word: that they change from run to run, or
// with the other images of a batch. It costs a few batches.
func (e *encoder) try(batch int) (notes []string, err error) {
	session, done, err := e.inFloat32()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	noise := newNoise(batch * e.image.Values())
	shape, err := e.shape(session, noise, batch)
	if err != nil && e.fixed == 0 && batch > 1 {
		var single error
		if shape, single = e.shape(session, noise, 1); single != nil {
			return nil, err
		}
		e.fixed, batch = 1, 1
		noise = noise[:e.image.Values()]
		notes = append(notes, "the encoder takes one image a run, though it declares any number: it was exported with a fixed batch inside")
	} else if err != nil {
		return nil, err
	}
	e.out.Dims = append([]int64{-1}, shape[1:]...)
	if e.latent, err = shapeOf(shape, e.Layout); err != nil || e.latent.Values() == 0 {
		return nil, fault.Usagef("%s: output %q has the shape %s; a latent has 1 to 3 axes beside the batch: reshape it in the model", e.name, e.out.Name, sides(shape))
	}
	note, err := e.steady(noise, batch)
	if note != "" {
		notes = append(notes, note)
	}
	return append(notes, e.understood()), err
}

// understood says how images are handed to the model.
func (e *encoder) understood() string {
	return fmt.Sprintf("the encoder is not moncae's: input %q takes %s, axes %s, values %s; the latent is output %q, %v",
		e.in.Name, arch.Shape{C: e.image.C, H: e.image.H, W: e.image.W}, e.Layout, e.Values(), e.out.Name, e.latent)
}

// inFloat32 is a session whose output is float32, and how to end with it.
func (e *encoder) inFloat32() (s *ort.Session, done func() error, err error) {
	if e.out.Type == onnx.Float {
		return e.session, func() error { return nil }, nil
	}
	if s, err = ort.OpenModel(e.model.InFloat32(e.out.Name), ort.Options{Name: e.name, Device: "cpu"}); err != nil {
		return nil, nil, err
	}
	return s, s.Close, nil
}

// shape is what a batch of n images comes out as.
func (e *encoder) shape(session *ort.Session, images []uint8, n int) ([]int64, error) {
	var w scratch
	rows := e.prepare(&w, images[:n*e.image.Values()], n)
	shapes, err := session.Shapes([]ort.Tensor{e.input(&w, rows, w.in, e.axes())})
	if err != nil {
		return nil, fault.Usagef("%w (for a batch of %d images of %v, C×H×W)", err, rows, e.image)
	}
	if s := shapes[0]; len(s) == 0 || s[0] != int64(rows) {
		return nil, fault.Usagef("%s: output %q has the shape %v for %d images; its first axis must be the batch", e.name, e.out.Name, s, rows)
	}
	return shapes[0], nil
}

// steady encodes the same images twice, and the first image once more among others.
func (e *encoder) steady(images []uint8, batch int) (note string, err error) {
	var w scratch
	encode := func(images []uint8) []float32 {
		latents := make([]float32, batch*e.latent.Values())
		if err == nil {
			err = e.encode(&w, images, batch, latents)
		}
		return latents
	}
	one, two := encode(images), encode(images)
	others := append(images[:e.image.Values():e.image.Values()], newNoise(2 * len(images))[len(images)+e.image.Values():]...)
	among := encode(others)
	if err != nil {
		return "", err
	}
	if d, most := apart(one, two); d > tolerance*max(1, most) {
		return fmt.Sprintf("the encoder gives other latents for the same images each time (up to %.2g apart, values go up to %.2g): it samples, or dropout was left on; "+
			"export it after model.eval(), and of a variational encoder take the mean (--output)", d, most), nil
	}
	if d, most := apart(one[:e.latent.Values()], among[:e.latent.Values()]); d > tolerance*max(1, most) {
		return fmt.Sprintf("an image's latent changes with the other images of its batch (up to %.2g, values go up to %.2g), as with batch norm in training mode or dynamic quantisation: export the encoder after model.eval(), or give --batch 1", d, most), nil
	}
	return "", nil
}

// tolerance is relative: kernels may add up in another order from run to run.
const tolerance = 1e-3

// apart is the largest difference of two lists, and their largest magnitude.
func apart(a, b []float32) (difference, most float64) {
	for i := range a {
		difference = max(difference, math.Abs(float64(a[i]-b[i])))
		most = max(most, math.Abs(float64(a[i])), math.Abs(float64(b[i])))
	}
	return difference, most
}

func newNoise(n int) []uint8 {
	r := rand.New(rand.NewPCG(14, 8))
	b := make([]uint8, n)
	for i := range b {
		b[i] = uint8(r.Uint32())
	}
	return b
}

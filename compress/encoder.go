package compress

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset"
	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/modelinput"
	"moncae/internal/onnx"
)

// Preprocess is what happens to an image before the encoder, and back after the
// decoder: the metadata moncae.preprocess. What the model takes is there for foreign
// models only.
type Preprocess struct {
	dataset.Preprocess
	modelinput.Spec
}

// encoder is a net from images to latents.
type encoder struct {
	*net
	modelinput.Spec
	says   bool // its metadata say how images are prepared
	image  arch.Shape
	latent arch.Shape
	pixels *modelinput.Table
}

// openEncoder opens the model and says how the data set must be read for it.
func openEncoder(o Options, threads int) (*encoder, dataset.Options, error) {
	model, err := readModel(o.Encoder)
	if err != nil {
		return nil, o.Dataset, err
	}
	e := &encoder{Spec: o.Foreign}
	data := o.Dataset
	if text := model.Metadata()[metakey.Preprocess]; text != "" {
		p, err := preprocessOf(text)
		if err != nil {
			return nil, data, fault.Damagedf("%s: metadata %s: %w", o.Encoder, metakey.Preprocess, err)
		}
		if data, err = follow(o.Encoder, p.Preprocess, data); err != nil {
			return nil, data, err
		}
		if flag := o.Foreign.Contradicts(p.Spec); flag != "" {
			return nil, data, fault.Usagef("%s: %s says itself what it takes, values %s and axes %s: leave the flag out", flag, o.Encoder, p.Values(), p.Layout)
		}
		e.says, e.Spec = true, p.Spec
	}
	if e.net, err = openNet(o.Encoder, model, e.Output, o.session(threads)); err != nil {
		return nil, data, err
	}
	if err := e.declared(); err != nil {
		return nil, data, errors.Join(fault.Usagef("%s: %w", o.Encoder, err), e.session.Close())
	}
	e.pixels = e.Table()
	if !e.says {
		data = e.wish(data)
	}
	return e, data, nil
}

// readPreprocess reads what models and latents say of images' preparation.
func readPreprocess(text string) (p Preprocess, err error) {
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, errors.New("not the JSON that is wanted there")
	}
	return p, p.Check()
}

// preprocessOf reads a model's metadata.
func preprocessOf(text string) (p Preprocess, err error) {
	if p, err = readPreprocess(text); err != nil {
		return p, err
	}
	if s := p.ImageSize; min(s[0], s[1]) < 1 || p.Channels != 1 && p.Channels != 3 {
		return p, fmt.Errorf("%.200q says no image size, or not 1 or 3 channels", text)
	}
	if p.Resize == "" {
		p.Resize = "none"
	}
	if !slices.Contains([]string{"none", "fit", "crop", "pad"}, p.Resize) {
		return p, fmt.Errorf("resize is %q: it is none, fit, crop or pad", p.Resize)
	}
	p.Spec = p.Full()
	return p, nil
}

func readModel(path string) (*onnx.Model, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fault.Usagef("model: %w", err)
	}
	return onnx.ReadFile(path)
}

// follow makes a data set be read as the encoder was trained. What the user asked
// for must be the same, but for a way to scale where training needed none.
func follow(name string, p dataset.Preprocess, o dataset.Options) (dataset.Options, error) {
	if s := o.ImageSize; s != nil && *s != p.ImageSize {
		return o, fault.Usagef("--image-size %dx%d: %s takes images of %d×%d (height×width): leave the flag out", s[0], s[1], name, p.ImageSize[0], p.ImageSize[1])
	}
	if o.Channels != 0 && o.Channels != p.Channels {
		return o, fault.Usagef("--channels %d: %s takes images of %d: leave the flag out", o.Channels, name, p.Channels)
	}
	if o.Background != nil && *o.Background != p.Background {
		return o, fault.Usagef("--background %d: %s was trained on images drawn on %d: leave the flag out", *o.Background, name, p.Background)
	}
	if o.Range != nil && (p.Range == nil || *o.Range != *p.Range) {
		return o, fault.Usagef("--range %v,%v: %s was trained on images prepared otherwise: leave the flag out", o.Range[0], o.Range[1], name)
	}
	resize := o.Resize
	if resize == "" && o.ImageSize != nil && p.Resize == "none" {
		resize = "fit" // what --image-size alone means
	}
	o = p.Apply(o)
	if resize != "" && resize != p.Resize {
		if p.Resize != "none" {
			return o, fault.Usagef("--resize %s: %s was trained on images scaled with %s: leave the flag out", resize, name, p.Resize)
		}
		o.Resize = resize
	}
	return o, nil
}

// declared reads the image's shape from the model, and the latent's as far as the
// model says it.
func (e *encoder) declared() (err error) {
	dims := e.in.Dims
	if e.Layout == "" && len(dims) == 4 && dims[1] != 1 && dims[1] != 3 && (dims[3] == 1 || dims[3] == 3) {
		e.Layout = modelinput.NHWC
	}
	if e.in.Type == onnx.Uint8 {
		if e.Scale != "" && e.Scale != modelinput.Raw || e.Mean != nil {
			return fmt.Errorf("input %q is uint8, it takes pixels as they are: leave --scale, --mean and --std out", e.in.Name)
		}
		e.Scale = modelinput.Raw
	}
	e.Spec = e.Full()
	switch len(dims) {
	case 2: // all values in a row
		e.image = arch.Shape{C: -1, H: -1, W: -1}
	case 3: // grey, without an axis for channels
		e.image = arch.Shape{C: 1, H: int(dims[1]), W: int(dims[2])}
	case 4:
		if e.image, err = shapeOf(dims, e.Layout); err != nil {
			return err
		}
	default:
		return fmt.Errorf("input %q has the shape %s; a batch of images has 4 axes", e.in.Name, sides(dims))
	}
	if c := e.image.C; c >= 0 && c != 1 && c != 3 {
		return fmt.Errorf("input %q has the shape %s: %d channels with --images %s; images have 1 or 3", e.in.Name, sides(dims), c, e.Layout)
	}
	if len(e.out.Dims) > 4 {
		return fmt.Errorf("output %q has the shape %s; a latent has 3 axes at most beside the batch: reshape it in the model", e.out.Name, sides(e.out.Dims))
	}
	if e.latent, err = shapeOf(e.out.Dims, e.Layout); err != nil { // the model doesn't say it
		e.latent = arch.Shape{C: -1, H: -1, W: -1}
	}
	return nil
}

// wish makes a data set be read as a foreign model's input says.
func (e *encoder) wish(o dataset.Options) dataset.Options {
	if o.Channels == 0 && e.image.C > 0 {
		o.Channels = e.image.C
	}
	if o.ImageSize == nil && e.image.H > 0 && e.image.W > 0 {
		o.ImageSize = &[2]int{e.image.H, e.image.W}
		if o.Resize == "" {
			o.Resize = "none"
		}
	}
	return o
}

// fit holds the data set's images against the model's input. Of a foreign model it
// tries then what it does, and says what to know of it.
func (e *encoder) fit(info dataset.Info, batch int) (notes []string, err error) {
	for _, side := range []struct{ have, want int }{
		{info.Shape.C, e.image.C}, {info.Shape.H, e.image.H}, {info.Shape.W, e.image.W},
	} {
		if side.want >= 0 && side.have != side.want {
			return nil, fault.Usagef("%s: images are %v (C×H×W), %s takes %s: use %s", info.Name, info.Shape, e.name, sides(e.in.Dims), e.flags())
		}
	}
	if d := e.in.Dims; len(d) == 2 && d[1] >= 0 && int(d[1]) != info.Shape.Values() {
		return nil, fault.Usagef("%s: images are %v (C×H×W), %d values; %s takes %d: use --image-size and --channels", info.Name, info.Shape, info.Shape.Values(), e.name, d[1])
	}
	if err := e.CheckChannels(info.Shape.C); err != nil {
		return nil, err
	}
	e.image = info.Shape
	if !e.model.Own() {
		notes, err = e.try(e.batchOf(batch, e.image))
	}
	if l := e.latent; err == nil && min(l.C, l.H, l.W) < 1 {
		err = fault.Usagef("%s: output %q has the shape %s; each side must be known and at least 1", e.name, e.out.Name, sides(e.out.Dims))
	}
	if err == nil && e.model.Own() {
		err = e.tried(e.encode(&scratch{}, make([]uint8, e.image.Values()), 1, make([]float32, e.latent.Values())))
	}
	return notes, err
}

// flags ask for images of the model's shape, as far as it says one.
func (e *encoder) flags() string {
	var words []string
	if e.image.H > 0 && e.image.W > 0 {
		words = append(words, fmt.Sprintf("--image-size %dx%d", e.image.H, e.image.W))
	}
	if e.image.C > 0 {
		words = append(words, fmt.Sprintf("--channels %d", e.image.C))
	}
	return strings.Join(words, " ")
}

// axes are the sides of an image as the model has them.
func (e *encoder) axes() []int64 {
	if len(e.in.Dims) == 3 {
		return []int64{int64(e.image.H), int64(e.image.W)}
	}
	return axes(e.image, e.Layout, len(e.in.Dims))
}

// fill is what the model takes for CHW images, as float32.
func (e *encoder) fill(to []float32, images []uint8) {
	e.pixels.Fill(to, images, e.Layout, e.image.C, e.image.H*e.image.W)
}

// rows is what a run of the model takes for n images.
func (e *encoder) rows(n int) int {
	if e.fixed > 0 {
		return e.fixed
	}
	return n
}

// prepare fills w.in for n images; rows that the model takes beyond them are zeros.
func (e *encoder) prepare(w *scratch, images []uint8, n int) (rows int) {
	rows = e.rows(n)
	w.in = sized(w.in, rows*e.image.Values())
	e.fill(w.in, images)
	clear(w.in[n*e.image.Values():])
	return rows
}

// encode writes the latents of n images, CHW bytes, in NCHW order.
func (e *encoder) encode(w *scratch, images []uint8, n int, latents []float32) error {
	rows := e.prepare(w, images, n)
	out, turned := latents, e.Layout == modelinput.NHWC && len(e.out.Dims) == 4
	if turned || rows != n {
		w.out = sized(w.out, rows*e.latent.Values())
		out = w.out
	}
	if err := e.run(w, rows, w.in, e.axes(), out, axes(e.latent, e.Layout, len(e.out.Dims))); err != nil {
		return err
	}
	switch {
	case turned:
		transpose(latents, out[:len(latents)], e.latent.H*e.latent.W, e.latent.C)
	case rows != n:
		copy(latents, out)
	}
	return nil
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// beside is the decoder that lies in the encoder's folder; "" without one.
func beside(encoder string) string {
	path := filepath.Join(filepath.Dir(encoder), "decoder.onnx")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

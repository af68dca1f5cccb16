// Package imagefile writes images as others read them: PNG files, and the head of
// NumPy's .npy arrays.
package imagefile

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"sync"

	"moncae/internal/arch"
)

// encoder keeps its buffers, which cost more than a small image.
var encoder = png.Encoder{BufferPool: &buffers{}}

type buffers struct{ sync.Pool }

func (b *buffers) Get() *png.EncoderBuffer {
	e, _ := b.Pool.Get().(*png.EncoderBuffer)
	return e
}

func (b *buffers) Put(e *png.EncoderBuffer) { b.Pool.Put(e) }

// Encode writes an image as PNG.
func Encode(to io.Writer, m image.Image) error { return encoder.Encode(to, m) }

// EncodePixels writes an image, CHW bytes of 1 (grey) or 3 (colour) channels, as PNG.
func EncodePixels(to io.Writer, pixels []uint8, s arch.Shape) error {
	rect, area := image.Rect(0, 0, s.W, s.H), s.H*s.W
	switch s.C {
	case 1:
		return Encode(to, &image.Gray{Pix: pixels, Stride: s.W, Rect: rect})
	case 3:
		m := image.NewNRGBA(rect)
		for i := range area {
			m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = pixels[i], pixels[area+i], pixels[2*area+i], 255
		}
		return Encode(to, m)
	}
	return fmt.Errorf("PNG: images of %d channels; 1 (grey) and 3 (colour) can be written", s.C)
}

// NPYHeader is what stands before the values of an array in C order, to the byte as
// NumPy writes it (version 1.0): descr is NumPy's name of their type, such as |u1.
// There is a dimension at least.
func NPYHeader(descr string, dims ...int64) []byte {
	shape := make([]string, len(dims))
	for i, d := range dims {
		shape[i] = fmt.Sprint(d)
	}
	tuple := strings.Join(shape, ", ")
	if len(dims) == 1 {
		tuple += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	const (
		fixed  = 10 // magic, version, length
		digits = 21 // room for the first dimension to grow
		align  = 64
	)
	text += strings.Repeat(" ", max(0, digits-len(shape[0])))
	text += strings.Repeat(" ", align-(fixed+len(text)+1)%align) + "\n"
	head := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(text)))
	return append(head, text...)
}

package compress

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"moncae/internal/arch"
)

var pngEncoder = png.Encoder{BufferPool: &pngBuffers{}}

// encodePNG writes an image, CHW bytes of 1 (grey) or 3 (colour) channels.
func encodePNG(to io.Writer, pixels []uint8, s arch.Shape) error {
	area := s.H * s.W
	switch s.C {
	case 1:
		return pngEncoder.Encode(to, &image.Gray{Pix: pixels, Stride: s.W, Rect: image.Rect(0, 0, s.W, s.H)})
	case 3:
		m := image.NewNRGBA(image.Rect(0, 0, s.W, s.H))
		for i := range area {
			m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = pixels[i], pixels[area+i], pixels[2*area+i], 255
		}
		return pngEncoder.Encode(to, m)
	}
	return fmt.Errorf("PNG: images of %d channels; 1 (grey) and 3 (colour) can be written", s.C)
}

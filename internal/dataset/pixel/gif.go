package pixel

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
)

// readGIF walks the blocks up to the first frame, which may have a palette of its
// own.
func (h *Header) readGIF(data []byte, _ bool) error {
	if len(data) < 13 {
		return errShort
	}
	h.W, h.H = int(binary.LittleEndian.Uint16(data[6:])), int(binary.LittleEndian.Uint16(data[8:]))
	at, palette, err := gifPalette(data, 13, data[10])
	if err != nil || h.H == 0 || h.W == 0 {
		return err
	}
	for at < len(data) && data[at] == 0x21 { // an extension: a label, then blocks
		for at += 2; at < len(data) && data[at] != 0; {
			at += 1 + int(data[at])
		}
		at++
	}
	if at+10 > len(data) || data[at] != 0x2c { // a frame: its place, and flags
		return errShort
	}
	_, own, err := gifPalette(data, at+10, data[at+9])
	if own == nil {
		own = palette
	}
	h.Grey = greyTriples(own)
	return err
}

// gifPalette is the palette at an offset, nil where the flags say none, and
// where it ends.
func gifPalette(data []byte, at int, flags byte) (end int, palette []byte, err error) {
	if flags&0x80 == 0 {
		return at, nil, nil
	}
	end = at + 3<<(flags&7+1)
	if end > len(data) {
		return 0, nil, errShort
	}
	return end, data[at:end], nil
}

// decodeGIF is the first frame, which may be smaller than the canvas, on it. What
// it leaves open is transparent where it knows transparency, and of its first
// colour otherwise, as Pillow has it.
func decodeGIF(r *bytes.Reader, h Header) (image.Image, error) {
	m, err := gif.Decode(r)
	if err != nil {
		return nil, err
	}
	frame := m.(*image.Paletted)
	canvas := h.canvas
	if frame.Rect == canvas {
		return frame, nil
	}
	out := image.NewPaletted(canvas, frame.Palette)
	for i := range out.Pix {
		out.Pix[i] = clearIndex(frame.Palette)
	}
	inner := frame.Rect.Intersect(canvas)
	for y := inner.Min.Y; y < inner.Max.Y; y++ {
		copy(out.Pix[out.PixOffset(inner.Min.X, y):][:inner.Dx()], frame.Pix[frame.PixOffset(inner.Min.X, y):])
	}
	return out, nil
}

func clearIndex(p color.Palette) uint8 {
	for i, c := range p {
		if _, _, _, a := c.RGBA(); a == 0 {
			return uint8(i)
		}
	}
	return 0
}

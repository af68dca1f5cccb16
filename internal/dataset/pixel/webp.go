package pixel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"

	"golang.org/x/image/webp"
)

// webpChunks calls see with every chunk that lies whole in data, until it gives
// false, and tells whether the file's end was reached.
func webpChunks(data []byte, see func(name string, body []byte) bool) (end bool) {
	for len(data) >= 8 {
		size := int64(binary.LittleEndian.Uint32(data[4:]))
		if 8+size > int64(len(data)) {
			return false
		}
		if !see(string(data[:4]), data[8:8+size]) {
			return true
		}
		data = data[min(int64(len(data)), 8+size+size&1):]
	}
	return len(data) == 0
}

// The flags of a WebP file's chunk VP8X.
const (
	webpAnimated = 1 << 1
	webpXMP      = 1 << 2
	webpEXIF     = 1 << 3
	webpAlpha    = 1 << 4
)

func (h *Header) readWebP(data []byte, whole bool) error {
	var flags byte
	var exif, xmp []byte
	webpChunks(data[12:], func(name string, body []byte) bool {
		switch name {
		case "VP8X":
			if len(body) == 10 {
				flags = body[0]
				h.W, h.H = 1+le24(body[4:]), 1+le24(body[7:])
			}
		case "EXIF":
			exif = body
		case "XMP ":
			xmp = body
		}
		return true
	})
	h.turn = turnOf(exif, xmp)
	if !whole && (flags&webpEXIF != 0 && exif == nil || flags&webpXMP != 0 && xmp == nil) {
		return errShort
	}
	if h.W > 0 {
		return nil
	}
	return h.readConfig(webp.DecodeConfig(bytes.NewReader(data)))
}

func le24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// decodeWebP decodes the image, or the first frame of an animation.
func decodeWebP(data []byte, h Header) (image.Image, error) {
	m, at, err := webpFrame(data)
	if err != nil || m.Bounds() == h.canvas {
		return m, err
	}

	if !m.Bounds().Add(at).In(h.canvas) {
		return nil, errors.New("its first frame leads out of the canvas")
	}
	var d Decoder
	d.convert(m, Header{Format: "webp"})
	out := image.NewNRGBA(h.canvas) // clear where the frame leaves it open
	for y := range d.stored.H {
		for x := range d.stored.W {
			i, to := y*d.stored.W+x, out.Pix[out.PixOffset(at.X+x, at.Y+y):]
			copy(to[:3], d.stored.Pix[3*i:])
			if to[3] = 255; len(d.alpha) > 0 {
				to[3] = d.alpha[i]
			}
		}
	}
	return out, nil
}

// webpFrame is the still image, or the first frame and where it lies. A frame's
// chunks are those of a still image, which is what the library reads.
func webpFrame(data []byte) (m image.Image, at image.Point, err error) {
	var frame []byte
	webpChunks(data[12:], func(name string, body []byte) bool {
		if name == "ANMF" && len(body) > 16 {
			frame = body
		}
		return frame == nil
	})
	if frame == nil {
		m, err = webp.Decode(bytes.NewReader(data))
		return m, at, err
	}
	at = image.Pt(2*le24(frame), 2*le24(frame[3:]))
	header := make([]byte, 10)
	copy(header[4:], frame[6:12])
	webpChunks(frame[16:], func(name string, _ []byte) bool {
		if name == "ALPH" {
			header[0] = webpAlpha
		}
		return true
	})
	still := riffChunk("VP8X", header)
	still = append(still, frame[16:]...)
	m, err = webp.Decode(bytes.NewReader(riffChunk("RIFF", append([]byte("WEBP"), still...))))
	return m, at, err
}

func riffChunk(name string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	b = append(b, body...)
	return append(b, make([]byte, len(body)&1)...)
}

package pixel

import (
	"errors"
	"image"
	"image/color"
	"image/draw"
	"strconv"
)

// pnm is the header of a file of Netpbm: plain (P1 to P3) or raw (P4 to P6)
// bits, greys or colours.
type pnm struct {
	kind    int // 1 to 6
	w, h    int
	largest int // value of a sample
	pixels  int // where they begin
}

func (h *Header) readPNM(data []byte, _ bool) error {
	p, err := parsePNM(data)
	h.H, h.W, h.Grey = p.h, p.w, p.kind%3 != 0
	return err
}

// parsePNM reads the numbers before the pixels: width, height, and the largest
// value but for bits. One white space ends them.
func parsePNM(data []byte) (pnm, error) {
	p := pnm{kind: int(data[1] - '0'), largest: 1, pixels: 2}
	numbers := []*int{&p.w, &p.h}
	if p.kind%3 != 1 {
		numbers = append(numbers, &p.largest)
	}
	for _, n := range numbers {
		word, end := pnmWord(data, p.pixels)
		if end == len(data) {
			return p, errShort
		}
		v, err := strconv.Atoi(word)
		if err != nil || v < 1 || v > 1<<30 {
			return p, errors.New("its header holds no width, height and largest value")
		}
		*n, p.pixels = v, end
	}
	if p.largest > 65535 {
		return p, errors.New("its largest value is above 65535")
	}
	p.pixels++
	return p, nil
}

// pnmWord is the word behind white space and comments at an offset.
func pnmWord(data []byte, at int) (word string, end int) {
	for at < len(data) && (pnmSpace(data[at]) || data[at] == '#') {
		if data[at] == '#' {
			for at < len(data) && data[at] != '\n' && data[at] != '\r' {
				at++
			}
			continue
		}
		at++
	}
	for end = at; end < len(data) && !pnmSpace(data[end]) && data[end] != '#'; end++ {
	}
	return string(data[at:end]), end
}

func pnmSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// decodePNM makes an image of 16 bits where the largest value needs them, and of
// 8 otherwise. Samples are scaled so that the largest becomes white; in bits, 1
// is black.
func decodePNM(data []byte) (image.Image, error) {
	p, err := parsePNM(data)
	if err != nil {
		return nil, err
	}
	channels := 1
	if p.kind%3 == 0 {
		channels = 3
	}
	next := p.plain(data)
	if p.kind > 3 {
		next = p.raw(data, channels)
	}
	if len(data)-p.pixels < p.least(channels) {
		return nil, errShort
	}
	full := 255
	if p.largest > 255 {
		full = 65535
	}
	var out draw.Image = image.NewNRGBA(image.Rect(0, 0, p.w, p.h))
	if full != 255 {
		out = image.NewNRGBA64(out.Bounds())
	}
	for y := range p.h {
		for x := range p.w {
			var v [3]uint16
			for c := range channels {
				s, err := next()
				if err != nil {
					return nil, err
				}
				if s > p.largest {
					return nil, errors.New("a value is above the largest that its header names")
				}
				v[c] = uint16((s*full + p.largest/2) / p.largest * (65535 / full))
			}
			if channels == 1 {
				v[1], v[2] = v[0], v[0]
			}
			out.Set(x, y, color.NRGBA64{v[0], v[1], v[2], 65535})
		}
	}
	return out, nil
}

// least is the number of bytes that the samples take at least.
func (p pnm) least(channels int) int {
	samples := p.w * p.h * channels
	switch {
	case p.kind == 4:
		return (p.w + 7) / 8 * p.h
	case p.kind == 1 || p.kind > 3 && p.largest < 256:
		return samples
	}
	return 2*samples - 1
}

// plain gives the samples that are written as words; bits need no space between.
func (p pnm) plain(data []byte) func() (int, error) {
	at := p.pixels
	return func() (int, error) {
		word, end := pnmWord(data, at)
		if word == "" {
			return 0, errShort
		}
		if p.kind == 1 {
			at = end - len(word) + 1
			return int('1' - word[0]), nil
		}
		at = end
		v, err := strconv.Atoi(word)
		if err != nil || v < 0 {
			return 0, errors.New("a value is no number")
		}
		return v, nil
	}
}

// raw gives the samples that are stored as bits, bytes or pairs of bytes.
func (p pnm) raw(data []byte, channels int) func() (int, error) {
	i := 0
	return func() (int, error) {
		at, bit := p.pixels+i, 0
		switch {
		case p.kind == 4: // every row begins with a byte
			at, bit = p.pixels+i/p.w*((p.w+7)/8)+i%p.w/8, i%p.w%8
		case p.largest > 255:
			at = p.pixels + 2*i
		}
		i++
		switch {
		case at >= len(data) || p.largest > 255 && at+1 >= len(data):
			return 0, errShort
		case p.kind == 4:
			return 1 - int(data[at]>>(7-bit)&1), nil
		case p.largest > 255:
			return int(data[at])<<8 | int(data[at+1]), nil
		}
		return int(data[at]), nil
	}
}

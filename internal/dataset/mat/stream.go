package mat

import (
	"errors"
	"io"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// stream reads the images of X. They lie one after the other (N is the slowest
// dimension), each column by column.
type stream struct {
	*walk
	shape  arch.Shape
	count  int
	labels []int32
	span   *pixel.Span
	x      *variable
	row    int
	buffer []byte
	plane  []byte // bytes of an image, column by column
}

func openStream(f *source.File, shape arch.Shape, count int, labels []int32, span *pixel.Span) (source.Stream, error) {
	w, err := newWalk(f)
	if err != nil {
		return nil, err
	}
	for {
		v, err := w.next()
		if err != nil { // X was there when the file was opened
			return nil, errors.Join(fault.Usagef("%s: X is gone: %w", f.Path, err), w.disk.Close())
		}
		if v.name == "X" {
			return &stream{walk: w, shape: shape, count: count, labels: labels, span: span, x: v}, nil
		}
	}
}

func (s *stream) Next(it *source.Item) error {
	if s.row == s.count {
		return io.EOF
	}
	n := s.shape.Values()
	width := int(widths[s.x.kind])
	s.buffer = slices.Grow(s.buffer[:0], n*width)[:n*width]
	if _, err := io.ReadFull(s.x.values, s.buffer); err != nil {
		return fault.Usagef("%s: X ends within image %d: %w", s.file.Path, s.row, err)
	}
	if err := s.toBytes(n, width); err != nil {
		return err
	}
	it.Data = slices.Grow(it.Data[:0], n)[:n]
	s.transpose(it.Data)
	it.Label, it.Path, it.File, it.Bytes = -1, "", nil, int64(n*width)
	if s.labels != nil {
		it.Label = s.labels[s.row]
	}
	s.row++
	return nil
}

// toBytes makes bytes of an image's numbers.
func (s *stream) toBytes(n, width int) error {
	if s.x.kind == miUint8 && !s.x.fractions() && !s.span.Given() {
		s.plane = s.buffer
		return nil
	}
	s.plane = slices.Grow(s.plane[:0], n)[:n]
	for i := range n {
		var err error
		if s.plane[i], err = s.span.Byte(s.x.number(s.buffer[i*width:]), s.x.fractions()); err != nil {
			return fault.Usagef("%s: image %d: value %d is %w", s.file.Path, s.row, i, err)
		}
	}
	return nil
}

// transpose turns columns to rows, channel by channel.
func (s *stream) transpose(dst []byte) {
	h, w := s.shape.H, s.shape.W
	for c := range s.shape.C {
		plane, out := s.plane[c*h*w:], dst[c*h*w:]
		for x := range w {
			for y := range h {
				out[y*w+x] = plane[x*h+y]
			}
		}
	}
}

func (s *stream) Close() error { return s.disk.Close() }

package mat

import (
	"errors"
	"io"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// stream reads the images of X. They lie one after the other (N is the slowest
// dimension), each column by column.
type stream struct {
	*walk
	shape  arch.Shape
	labels []int32
	values io.Reader
	row    int
	buffer []byte
}

func openStream(f *source.File, shape arch.Shape, labels []int32) (source.Stream, error) {
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
			return &stream{walk: w, shape: shape, labels: labels, values: v.values}, nil
		}
	}
}

func (s *stream) Next(it *source.Item) error {
	if s.row == len(s.labels) {
		return io.EOF
	}
	n := s.shape.Values()
	s.buffer = slices.Grow(s.buffer[:0], n)[:n]
	if _, err := io.ReadFull(s.values, s.buffer); err != nil {
		return fault.Usagef("%s: X ends within image %d: %w", s.file.Path, s.row, err)
	}
	it.Data = slices.Grow(it.Data[:0], n)[:n]
	s.transpose(it.Data)
	it.Label, it.Path, it.File, it.Bytes = s.labels[s.row], "", nil, int64(n)
	s.row++
	return nil
}

// transpose turns columns to rows, channel by channel.
func (s *stream) transpose(dst []byte) {
	h, w := s.shape.H, s.shape.W
	for c := range s.shape.C {
		plane, out := s.buffer[c*h*w:], dst[c*h*w:]
		for x := range w {
			for y := range h {
				out[y*w+x] = plane[x*h+y]
			}
		}
	}
}

func (s *stream) Close() error { return s.disk.Close() }

package pixelcsv

import (
	"errors"
	"io"
	"math"
	"slices"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// stream reads the rows of one split.
type stream struct {
	*table
	*lines
	split  string
	labels []int32
	row    int // of the file, without the header
	given  int
}

func (t *table) stream(split string, labels []int32) (source.Stream, error) {
	r, err := t.open()
	if err != nil {
		return nil, err
	}
	if t.header != nil {
		if _, err := r.Read(); err != nil {
			return nil, errors.Join(fault.Usagef("%s: %w", t.file.Path, err), r.Close())
		}
	}
	return &stream{table: t, lines: r, split: split, labels: labels}, nil
}

func (s *stream) Next(it *source.Item) error {
	for {
		fields, err := s.Read()
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return fault.Usagef("%s: %w", s.file.Path, err)
		}
		if s.row == len(s.table.labels) {
			return fault.Usagef("%s: has grown while it was read", s.file.Path)
		}
		s.row++
		if s.splitOfRow(s.row-1) == s.split {
			return s.fill(it, fields)
		}
	}
}

func (s *stream) fill(it *source.Item, fields []string) error {
	n := s.side * s.side
	it.Data = slices.Grow(it.Data[:0], n)[:n]
	it.Label, it.Path, it.File, it.Bytes = s.labels[s.given], "", nil, int64(n)
	s.given++
	scale := 1.0
	if s.unit {
		scale = 255
	}
	err := s.each(fields, func(i int, v float64) bool {
		it.Data[i] = uint8(math.Round(v * scale))
		return v >= 0 && v <= 255
	})
	if err != nil {
		return fault.Usagef("%s: row %d: %w", s.file.Path, s.row, err)
	}
	return nil
}

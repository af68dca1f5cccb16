package npy

import (
	"bufio"
	"errors"
	"io"
	"slices"

	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// reader reads an array row by row.
type reader struct {
	header
	path string
	disk io.Closer
	*bufio.Reader
	at int64 // the next row
}

func open(f *source.File) (*reader, error) {
	disk, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	r := &reader{path: f.Path, disk: disk, Reader: bufio.NewReaderSize(disk, 1<<18)}
	if r.header, err = parseHeader(f.Path, r.Reader); err == nil {
		err = r.check(f.Path, f.Size)
	}
	if err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	return r, nil
}

// headerOf is the header of a file.
func headerOf(f *source.File) (header, error) {
	r, err := open(f)
	if err != nil {
		return header{}, err
	}
	return r.header, r.disk.Close()
}

// read fills b with the bytes of the next row.
func (r *reader) read(b []byte) error {
	if n, err := io.ReadFull(r.Reader, b); err != nil {
		return fault.Usagef("%s: offset %d (row %d): %w", r.path, r.size+r.at*int64(len(b))+int64(n), r.at, err)
	}
	r.at++
	return nil
}

// streams reads the images of arrays one after the other.
type streams struct {
	arrays []*array
	labels []int32
	span   *pixel.Span
	named  bool // items have the paths of their arrays
	*reader
	given  int
	buffer []byte
}

func (s *streams) Next(it *source.Item) error {
	for s.reader == nil || s.at == s.rows() {
		if err := s.advance(); err != nil {
			return err
		}
	}
	n := int(s.row())
	it.Data = slices.Grow(it.Data[:0], n)[:n]
	it.Label, it.Path, it.File, it.Bytes = -1, "", nil, int64(n*s.width)
	if s.labels != nil {
		it.Label = s.labels[s.given]
	}
	if s.named {
		it.Path = s.path
	}
	s.given++
	if s.kind == 'u' && s.width == 1 && !s.span.Given() {
		return s.read(it.Data)
	}
	return s.convert(it.Data)
}

// advance goes on to the next array.
func (s *streams) advance() error {
	if err := s.Close(); err != nil {
		return err
	}
	if len(s.arrays) == 0 {
		return io.EOF
	}
	a := s.arrays[0]
	r, err := open(a.File)
	if err != nil {
		return err
	}
	r.header = a.header // that says whether it is a single image
	s.reader, s.arrays = r, s.arrays[1:]
	return nil
}

// convert reads a row of other numbers than bytes.
func (s *streams) convert(dst []uint8) error {
	s.buffer = slices.Grow(s.buffer[:0], len(dst)*s.width)[:len(dst)*s.width]
	if err := s.read(s.buffer); err != nil {
		return err
	}
	for i := range dst {
		v := s.value(s.buffer[i*s.width:])
		if s.kind == 'b' {
			v = min(v, 1)
		}
		var err error
		if dst[i], err = s.span.Byte(v, s.kind == 'f' || s.kind == 'b'); err != nil {
			return fault.Usagef("%s: image %d, value %d is %w", s.path, s.at-1, i, err)
		}
	}
	return nil
}

func (s *streams) Close() error {
	if s.reader == nil {
		return nil
	}
	err := s.disk.Close()
	s.reader = nil
	return err
}

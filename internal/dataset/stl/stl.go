// Package stl reads the binary files of STL-10: train_X.bin and test_X.bin, images of
// 3×96×96 bytes without a header, channel by channel and column by column; train_y.bin and
// test_y.bin, a byte a label from 1 to 10; class_names.txt. The images without labels
// (unlabeled_X.bin) are left out.
//
// The length of a file must be whole images, and as many labels. Images are streamed.
package stl

import (
	"bufio"
	"errors"
	"io"
	"path"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

const (
	side    = 96
	pixels  = 3 * side * side
	classes = 10
)

// Collect makes a collection of the usual files among list, nil without them.
func Collect(list []source.File) (*source.Collection, error) {
	find := func(base string) *source.File {
		i := slices.IndexFunc(list, func(f source.File) bool { return path.Base(f.Path) == base })
		if i < 0 {
			return nil
		}
		return &list[i]
	}
	c := &source.Collection{Format: "stl", Raw: &source.Raw{Shape: arch.Shape{C: 3, H: side, W: side}, Planar: true}}
	names := find("class_names.txt")
	used := []*source.File{names}
	for _, split := range []string{source.Train, source.Test} {
		x, y := find(split+"_X.bin"), find(split+"_y.bin")
		if x == nil {
			continue
		}
		used = append(used, x, y)
		s, err := newSplit(split, x, y)
		if err != nil {
			return nil, err
		}
		c.Splits = append(c.Splits, s)
	}
	if len(c.Splits) == 0 {
		return nil, nil
	}
	if f := find("unlabeled_X.bin"); f != nil {
		c.LeftOut.Add("images of no split, beside those of the splits", f.Path, int(f.Size/pixels))
		used = append(used, f)
	}
	c.LeftOut.Others(list, used...)
	var err error
	c.Classes, err = source.ClassNames(names, classes)
	return c, err
}

func newSplit(name string, x, y *source.File) (source.Split, error) {
	s := source.Split{Name: name, Rows: x.Size / pixels, Bytes: source.Occupied(x, y)}
	if x.Size%pixels != 0 || x.Size <= 0 {
		return s, fault.Usagef("%s: offset %d: the file ends within an image of %d bytes; get it again", x.Path, x.Size, pixels)
	}
	var labels []int32
	if y != nil {
		b, err := y.Content(s.Rows + 1)
		if err != nil {
			return s, err
		}
		if int64(len(b)) != s.Rows {
			return s, fault.Usagef("%s: %d bytes or more, a label each, %s holds %d images", y.Path, len(b), x.Path, s.Rows)
		}
		for i, v := range b {
			if v < 1 || v > classes {
				return s, fault.Usagef("%s: offset %d: label %d; they are 1 to %d", y.Path, i, v, classes)
			}
			labels = append(labels, int32(v)-1)
		}
		s.Labels = func() ([]int32, error) { return labels, nil }
	}
	s.Open = func() (source.Stream, error) {
		r, err := x.Reader()
		if err != nil {
			return nil, fault.Usagef("%w", err)
		}
		return &stream{path: x.Path, disk: r, reader: bufio.NewReaderSize(r, 1<<18), labels: labels, rows: s.Rows}, nil
	}
	return s, nil
}

// stream reads images one after the other.
type stream struct {
	path   string
	disk   io.Closer
	reader *bufio.Reader
	labels []int32
	row    int64
	rows   int64
	buffer [pixels]byte
}

func (s *stream) Next(it *source.Item) error {
	if s.row == s.rows {
		return io.EOF
	}
	if _, err := io.ReadFull(s.reader, s.buffer[:]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends here")
		}
		return fault.Usagef("%s: image %d: %w", s.path, s.row, err)
	}
	it.Data = slices.Grow(it.Data[:0], pixels)[:pixels]
	for i, v := range s.buffer {
		c, x, y := i/(side*side), i/side%side, i%side
		it.Data[(c*side+y)*side+x] = v
	}
	it.Label, it.Path, it.File, it.Bytes = -1, "", nil, pixels
	if s.labels != nil {
		it.Label = s.labels[s.row]
	}
	s.row++
	return nil
}

func (s *stream) Close() error { return s.disk.Close() }

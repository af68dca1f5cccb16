package npy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// The words in the names of arrays.
var (
	imageWords = []string{"x", "images", "image", "imgs", "data", "arr_0"}
	labelWords = []string{"y", "labels", "label", "targets", "target", "arr_1"}
	splitWords = map[string]string{"train": source.Train, "test": source.Test, "val": source.Val, "valid": source.Val, "validation": source.Val}
)

// role tells from an array's name what it holds, and for which split: x_train,
// train_images, y, labels-test, arr_0 …
func role(name string) (split string, images, labels bool) {
	name = strings.ToLower(strings.TrimSuffix(path.Base(name), ".npy"))
	split = source.Whole
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	words = slices.DeleteFunc(words, func(w string) bool {
		s, is := splitWords[w]
		if is {
			split = s
		}
		return is
	})
	rest := strings.Join(words, "_")
	if rest == "" { // train.npy
		return split, true, false
	}
	return split, slices.Contains(imageWords, rest), slices.Contains(labelWords, rest)
}

// Collect makes a collection of the arrays among list, nil if there are none. A
// single array holds images, whatever its name.
func Collect(name string, list []source.File) (*source.Collection, error) {
	var arrays []*source.File
	for i := range list {
		if strings.HasSuffix(strings.ToLower(list[i].Path), ".npy") {
			arrays = append(arrays, &list[i])
		}
	}
	images, labels := map[string]*source.File{}, map[string]*source.File{}
	var names []string
	for _, f := range arrays {
		split, isImages, isLabels := role(f.Path)
		into := images
		if isLabels {
			into = labels
		} else if !isImages && len(arrays) > 1 {
			names = append(names, path.Base(f.Path))
			continue
		}
		if into[split] != nil {
			return nil, fault.Usagef("%s: the arrays %s and %s both seem to be for the split %s", name, into[split].Path, f.Path, split)
		}
		into[split] = f
	}
	if len(arrays) == 0 {
		return nil, nil
	}
	if len(images) == 0 {
		return nil, fault.Usagef("%s: none of the arrays %s is named as images: images, x, x_train and x_test, train_images …", name, strings.Join(names, ", "))
	}
	return collect(images, labels)
}

func collect(images, labels map[string]*source.File) (*source.Collection, error) {
	c := &source.Collection{Format: "npy"}
	span := new(span)
	c.Stretch = span.set
	classes := 0
	for _, split := range []string{source.Train, source.Val, source.Test, source.Whole} {
		f := images[split]
		if f == nil {
			continue
		}
		h, raw, err := readHeader(f, labels[split])
		if err != nil {
			return nil, err
		}
		if note := h.noteOn(f.Path); note != "" {
			c.Notes = append(c.Notes, note)
		}
		if h.kind == 'f' || h.kind == 'b' {
			c.Full = 1
		}
		if c.Raw != nil && *c.Raw != *raw {
			return nil, fault.Usagef("%s: its images are %v, those of another split %v; all need the same", f.Path, raw.Shape, c.Raw.Shape)
		}
		c.Raw = raw
		s := source.Split{Name: split, Rows: h.rows(), Bytes: source.Occupied(f, labels[split])}
		var classOf []int32
		if l := labels[split]; l != nil {
			if classOf, err = readLabels(l, f.Path, h.rows()); err != nil {
				return nil, err
			}
			s.Labels = func() ([]int32, error) { return classOf, nil }
			classes = max(classes, int(slices.Max(classOf))+1)
		}
		s.Open = func() (source.Stream, error) { return open(f, classOf, h.single, span) }
		c.Splits = append(c.Splits, s)
	}
	for i := range classes {
		c.Classes = append(c.Classes, strconv.Itoa(i))
	}
	return c, nil
}

func readHeader(f, labels *source.File) (header, *source.Raw, error) {
	s, err := open(f, nil, false, nil)
	if err != nil {
		return header{}, nil, err
	}
	defer func() { _ = s.Close() }() // only read
	if s.looksSingle() && (labels == nil || !labelsFit(labels, s.rows())) {
		s.makeSingle()
	}
	raw, err := s.raw()
	return s.header, raw, err
}

// maxImage is the number of values of the largest image that is read.
const maxImage = 1 << 27

// raw is the layout of one image.
func (s *stream) raw() (*source.Raw, error) {
	d := s.shape
	if s.row() > maxImage {
		return nil, fault.Usagef("%s: images of %d values; more than %d are refused", s.path, s.row(), maxImage)
	}
	switch {
	case len(d) == 3:
		return &source.Raw{Shape: arch.Shape{C: 1, H: int(d[1]), W: int(d[2])}, Planar: true}, nil
	case len(d) == 4 && (d[3] == 1 || d[3] == 3):
		return &source.Raw{Shape: arch.Shape{C: int(d[3]), H: int(d[1]), W: int(d[2])}}, nil
	case len(d) == 4 && (d[1] == 1 || d[1] == 3):
		return &source.Raw{Shape: arch.Shape{C: int(d[1]), H: int(d[2]), W: int(d[3])}, Planar: true}, nil
	}
	return nil, fault.Usagef("%s: an array of %s; images are N×H×W, N×H×W×C or N×C×H×W with C 1 or 3", s.path, s.header)
}

// looksSingle tells whether three sides are more likely those of one image with
// channels last than those of many images that are a few pixels wide.
func (h header) looksSingle() bool {
	return len(h.shape) == 3 && h.shape[2] <= 4 && h.shape[1] > 8
}

// makeSingle takes the array for one image.
func (h *header) makeSingle() {
	h.shape, h.single = append([]int64{1}, h.shape...), true
}

// labelsFit tells whether a file holds that many labels.
func labelsFit(f *source.File, rows int64) bool {
	s, err := open(f, nil, false, nil)
	if err != nil {
		return false // reading the labels will say why
	}
	defer func() { _ = s.Close() }() // only read
	return s.rows() == rows
}

// noteOn says what an array was taken for, where another reading is possible.
func (h header) noteOn(path string) string {
	switch d := h.shape; {
	case h.single:
		return fmt.Sprintf("%s is read as one image of %d×%d pixels with %d channels", path, d[1], d[2], d[3])
	case len(d) == 3 && d[0] == 3:
		return fmt.Sprintf("%s is read as %d grey images of %d×%d pixels; save one image with %d channels as 1×%s", path, d[0], d[1], d[2], d[0], h)
	}
	return ""
}

func readLabels(f *source.File, images string, rows int64) ([]int32, error) {
	s, err := open(f, nil, false, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }() // only read
	if s.kind == 'f' || s.row() != 1 {
		return nil, fault.Usagef("%s: an array of %s values of type %c%d; labels are integers, one an image", f.Path, s.header, s.kind, s.width)
	}
	if s.rows() != rows {
		return nil, fault.Usagef("%s: holds %d labels, %s holds %d images", f.Path, s.rows(), images, rows)
	}
	var labels []int32
	b := make([]byte, s.width)
	for i := range rows {
		if err := s.read(b, i); err != nil {
			return nil, err
		}
		v := s.value(b)
		if err := source.CheckClass(int64(v)); err != nil {
			return nil, fault.Usagef("%s: label %d: %w", f.Path, i, err)
		}
		labels = append(labels, int32(v))
	}
	return labels, nil
}

// stream reads an array row by row.
type stream struct {
	header
	path   string
	disk   io.Closer
	reader *bufio.Reader
	labels []int32
	span   *span
	next   int64
	buffer []byte
}

// open opens an array; single says that all of it is one image.
func open(f *source.File, labels []int32, single bool, span *span) (*stream, error) {
	r, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	s := &stream{path: f.Path, disk: r, reader: bufio.NewReaderSize(r, 1<<18), labels: labels, span: span}
	if s.header, err = parseHeader(f.Path, s.reader); err == nil {
		err = s.check(f.Path, f.Size)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if single {
		s.makeSingle()
	}
	return s, nil
}

// read fills b with the bytes of a row.
func (s *stream) read(b []byte, row int64) error {
	if n, err := io.ReadFull(s.reader, b); err != nil {
		return fault.Usagef("%s: offset %d (row %d): %w", s.path, s.size+row*int64(len(b))+int64(n), row, err)
	}
	return nil
}

func (s *stream) Next(it *source.Item) error {
	if s.next == s.rows() {
		return io.EOF
	}
	n := int(s.row())
	it.Data = slices.Grow(it.Data[:0], n)[:n]
	it.Label, it.Path, it.File, it.Bytes = -1, "", nil, int64(n*s.width)
	if s.labels != nil {
		it.Label = s.labels[s.next]
	}
	s.next++
	if s.kind == 'u' && s.width == 1 && !s.span.given() {
		return s.read(it.Data, s.next-1)
	}
	return s.convert(it.Data)
}

// convert reads a row of other numbers than bytes.
func (s *stream) convert(dst []uint8) error {
	s.buffer = slices.Grow(s.buffer[:0], len(dst)*s.width)[:len(dst)*s.width]
	if err := s.read(s.buffer, s.next-1); err != nil {
		return err
	}
	for i := range dst {
		v, was, ok := s.pixel(s.buffer[i*s.width:], s.span)
		if !ok {
			fix := "it can't be a pixel"
			if !math.IsNaN(was) {
				fix = "without --range LO,HI, which says what is black and white, integers are 0 to 255"
			}
			if s.kind == 'f' && !math.IsNaN(was) {
				fix = "without --range LO,HI, which says what is black and white, floats are 0 to 1"
			}
			return fault.Usagef("%s: image %d, value %d is %v; %s", s.path, s.next-1, i, was, fix)
		}
		dst[i] = v
	}
	return nil
}

func (s *stream) Close() error { return s.disk.Close() }

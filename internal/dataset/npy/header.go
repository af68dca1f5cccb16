// Package npy reads images and labels from NumPy's files: .npy arrays, and .npz
// archives or folders of them.
//
// Images are N×H×W, N×H×W×C or N×C×H×W with C 1 or 3 (where both would do, the
// last is C), or rows of grey squares, of uint8, bool (0 and 255), integers from 0 to
// 255, or floats from 0 to 1, which are rounded to v/255; with a range, any numbers.
// H×W×C is one image unless there is a label for each of H. Labels are whole numbers of
// any type, bool or text, N or N×1, or rows with a single 1. Arrays are found by the words
// in their names; where none speaks of images, by their shape: one a split, or one a class.
//
// Arrays are streamed; a header is believed only as far as the file is long.
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// header is what stands before an array's values.
type header struct {
	order binary.ByteOrder
	kind  byte // u, i, f, b; of text U, S
	width int  // bytes a value
	shape []int64
	size  int64 // of the header, in bytes
	// single says that the array is one image, and shape begins with a 1 that the
	// file doesn't have.
	single bool
}

// rows is the first dimension.
func (h header) rows() int64 { return h.shape[0] }

// row is the number of values in one row.
func (h header) row() int64 {
	n := int64(1)
	for _, d := range h.shape[1:] {
		n *= d
	}
	return n
}

func (h header) String() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(h.shape), "[]"), " ", "×")
}

var (
	descrField   = regexp.MustCompile(`'descr':\s*'([<>|=])([a-zA-Z])(\d{1,4})'`)
	fortranField = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapeField   = regexp.MustCompile(`'shape':\s*\(([\d,\s]*)\)`)
)

// maxHeader is longer than any header that describes an array.
const maxHeader = 1 << 16

// maxValues keeps the product of the dimensions far from overflow.
const maxValues = 1 << 44

func parseHeader(path string, r io.Reader) (header, error) {
	var b [12]byte
	if _, err := io.ReadFull(r, b[:10]); err != nil || string(b[:6]) != "\x93NUMPY" {
		return header{}, fault.Usagef("%s: offset 0 (magic): no .npy array begins here", path)
	}
	length, size := int64(binary.LittleEndian.Uint16(b[8:])), int64(10)
	if b[6] >= 2 {
		if _, err := io.ReadFull(r, b[10:12]); err != nil {
			return header{}, fault.Usagef("%s: offset 10 (length of the header): the file ends here", path)
		}
		length, size = int64(binary.LittleEndian.Uint32(b[8:])), 12
	}
	if b[6] > 3 || length > maxHeader {
		return header{}, fault.Usagef("%s: offset 6 (version %d, header of %d bytes): no header of NumPy's versions 1 to 3", path, b[6], length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, fault.Usagef("%s: offset %d (header): the file ends within it", path, size)
	}
	h := header{order: binary.LittleEndian, size: size + length}
	return h, h.parse(path, string(text))
}

// parse reads the dictionary that describes the array.
func (h *header) parse(path, text string) error {
	if strings.Contains(text, "'|O'") {
		return fault.Usagef("%s: holds Python objects, which are not read; save x.astype(str), or an array of numbers", path)
	}
	descr, fortran, shape := descrField.FindStringSubmatch(text), fortranField.FindStringSubmatch(text), shapeField.FindStringSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return fault.Usagef("%s: offset 10 (header): %.80q describes no plain array of numbers (records are not read)", path, text)
	}
	if fortran[1] == "True" {
		return fault.Usagef("%s: the array is in Fortran order; save numpy.ascontiguousarray of it", path)
	}
	if descr[1] == ">" {
		h.order = binary.BigEndian
	}
	h.kind = descr[2][0]
	h.width, _ = strconv.Atoi(descr[3]) // digits, by the pattern
	const wide = 4                      // bytes of a letter
	if h.kind == 'U' {
		h.width *= wide
	}
	if text := h.kind == 'U' || h.kind == 'S'; (!text || h.width == 0) && !strings.Contains(" u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8 b1 ", " "+descr[2]+descr[3]+" ") {
		return fault.Usagef("%s: the array's type is %s%s; integers, bool, float16, float32 and float64 are read", path, descr[2], descr[3])
	}
	total := int64(h.width)
	for _, s := range strings.FieldsFunc(shape[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := strconv.ParseInt(s, 10, 64)
		if d == 0 && err == nil {
			return fault.Usagef("%s: holds nothing: its shape is (%s)", path, shape[1])
		}
		if err != nil || d < 1 || total > maxValues/d {
			return fault.Usagef("%s: the array's shape (%s) can't be: sides are at least 1, and all together at most %d bytes", path, shape[1], int64(maxValues))
		}
		total *= d
		h.shape = append(h.shape, d)
	}
	if len(h.shape) == 0 {
		return fault.Usagef("%s: is a single number; an array of images or labels is needed", path)
	}
	return nil
}

// check compares the header with the length of the file, where it is known.
func (h header) check(path string, size int64) error {
	want := h.size + h.rows()*h.row()*int64(h.width)
	if size >= 0 && size < want {
		return fault.Usagef("%s: offset %d (values): the file ends here, its %s values take %d bytes: it is truncated", path, size, h, want)
	}
	if size > want {
		return fault.Usagef("%s: offset %d (end): %d bytes follow the %s values", path, want, size-want, h)
	}
	return nil
}

// maxImage is the number of values of the largest image that is read.
const maxImage = 1 << 27

// raw is the layout of one image, nil where the array holds none.
func (h header) raw() *source.Raw {
	switch side := source.Square(h.row()); {
	case h.kind == 'U' || h.kind == 'S':
		return nil
	case len(h.shape) == 2 && side > 0 && h.rows() != h.row():
		return source.RawOf([]int64{int64(side), int64(side)})
	case len(h.shape) > 2:
		return source.RawOf(h.shape[1:])
	}
	return nil
}

// layout is raw, or the fault of an array that holds no images.
func (h header) layout(path string) (*source.Raw, error) {
	if h.row() > maxImage {
		return nil, fault.Usagef("%s: images of %d values; more than %d are refused", path, h.row(), maxImage)
	}
	if raw := h.raw(); raw != nil {
		return raw, nil
	}
	if len(h.shape) == 2 && h.row()%3 == 0 && source.Square(h.row()/3) > 0 {
		side := source.Square(h.row() / 3)
		return nil, fault.Usagef("%s: an array of %s: in which order are the colours of the %d×%d pixels? Save it as N×%d×%d×3 or N×3×%d×%d", path, h, side, side, side, side, side, side)
	}
	return nil, fault.Usagef("%s: an array of %s; images are N×H×W, N×H×W×C or N×C×H×W with C 1 or 3, or N rows of a grey square", path, h)
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

// noteOn says what an array was taken for, where another reading is possible.
func (h header) noteOn(path string) string {
	switch d := h.shape; {
	case h.single:
		return fmt.Sprintf("%s is read as one image of %d×%d pixels with %d channels", path, d[1], d[2], d[3])
	case len(d) == 2:
		side := source.Square(d[1])
		return fmt.Sprintf("%d values an image are read as a grey one of %d×%d", d[1], side, side)
	case len(d) == 3 && d[0] == 3:
		return fmt.Sprintf("%s is read as %d grey images of %d×%d pixels; save one image with %d channels as 1×%s", path, d[0], d[1], d[2], d[0], h)
	}
	return ""
}

// Package npy reads images and labels from NumPy's files: .npy arrays, and .npz
// archives or folders of them.
//
// Images are N×H×W, N×H×W×C or N×C×H×W with C 1 or 3 (where both would do, the
// last is C), of uint8, bool (0 and 255), integers from 0 to 255, or floats from 0
// to 1, which are rounded to v/255; with a range, any numbers. H×W×C is one image
// unless there is a label for each of H. Labels are integers of any size, N or N×1.
// Arrays are streamed; a header is believed only as far as the file is long.
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"moncae/internal/fault"
)

// header is what stands before an array's values.
type header struct {
	order binary.ByteOrder
	kind  byte // u, i, f, b
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
	descr, fortran, shape := descrField.FindStringSubmatch(text), fortranField.FindStringSubmatch(text), shapeField.FindStringSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return fault.Usagef("%s: offset 10 (header): %.80q describes no plain array of numbers (objects, strings and records are not read)", path, text)
	}
	if fortran[1] == "True" {
		return fault.Usagef("%s: the array is in Fortran order; save numpy.ascontiguousarray of it", path)
	}
	if descr[1] == ">" {
		h.order = binary.BigEndian
	}
	h.kind = descr[2][0]
	h.width, _ = strconv.Atoi(descr[3]) // digits, by the pattern
	if !strings.Contains(" u1 u2 u4 u8 i1 i2 i4 i8 f2 f4 f8 b1 ", fmt.Sprintf(" %c%d ", h.kind, h.width)) {
		return fault.Usagef("%s: the array's type is %s%s; integers, bool, float16, float32 and float64 are read", path, descr[2], descr[3])
	}
	total := int64(h.width)
	for _, s := range strings.FieldsFunc(shape[1], func(r rune) bool { return r == ',' || r == ' ' }) {
		d, err := strconv.ParseInt(s, 10, 64)
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

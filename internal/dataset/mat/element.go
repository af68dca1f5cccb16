package mat

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"

	"moncae/internal/fault"
)

// Data types of elements (MAT-File Format, table 1-1).
const (
	miInt8       = 1
	miUint8      = 2
	miInt16      = 3
	miUint16     = 4
	miInt32      = 5
	miUint32     = 6
	miSingle     = 7
	miDouble     = 9
	miMatrix     = 14
	miCompressed = 15
)

// widths are the bytes of a number.
var widths = map[uint32]int64{miInt8: 1, miUint8: 1, miInt16: 2, miUint16: 2, miInt32: 4, miUint32: 4, miSingle: 4, miDouble: 8}

// Classes of matrices (table 1-3): double and single hold fractions, below are cells,
// structures, text and sparse matrices, behind are functions and objects.
const (
	mxDouble = 6
	mxSingle = 7
	mxUint64 = 15
)

// variable is a matrix up to its values.
type variable struct {
	name   string
	dims   []int
	class  byte   // of the matrix
	kind   uint32 // of the values; 0: it is no array of numbers
	size   int64  // of the values, in bytes
	values io.Reader
}

// deflateMost is how much deflate can compress at the very best.
const deflateMost = 1032

// element reads a matrix up to its values, unpacking it where it is compressed;
// nil for elements of other kinds.
func element(kind uint32, size int64, body io.Reader) (*variable, error) {
	if kind == miCompressed {
		z, err := zlib.NewReader(body)
		if err != nil {
			return nil, err
		}
		var tag [8]byte
		if _, err := io.ReadFull(z, tag[:]); err != nil {
			return nil, err
		}
		packed := size
		kind, size = binary.LittleEndian.Uint32(tag[:]), int64(binary.LittleEndian.Uint32(tag[4:]))
		if size > packed*deflateMost {
			return nil, errors.New("it claims more than it can hold when compressed")
		}
		body = bufio.NewReaderSize(io.LimitReader(z, size), 1<<16)
	}
	if kind != miMatrix {
		return nil, nil
	}
	return readVariable(body, size)
}

// readVariable reads flags, dimensions, name and the tag of the values.
func readVariable(r io.Reader, size int64) (*variable, error) {
	var parts [3][]byte
	for i, want := range []uint32{miUint32, miInt32, miInt8} {
		kind, n, padded, small, err := readTag(r)
		if err != nil {
			return nil, err
		}
		if i == 1 && kind != want { // an object of MATLAB's, which has no dimensions
			return &variable{}, nil
		}
		if kind != want || n > 64 {
			return nil, errors.New("it is no plain matrix")
		}
		if small != nil {
			parts[i] = small
			continue
		}
		b := make([]byte, padded)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		parts[i] = b[:n]
	}
	v := &variable{name: string(parts[2])}
	if len(parts[0]) > 0 {
		v.class = parts[0][0]
	}
	if v.class < mxDouble || v.class > mxUint64 {
		return v, nil
	}
	total := int64(1)
	for b := parts[1]; len(b) >= 4; b = b[4:] {
		d := int64(int32(binary.LittleEndian.Uint32(b)))
		if d < 1 || d > math.MaxInt32 || total > (1<<40)/d {
			return nil, errors.New("its dimensions can't be")
		}
		total *= d
		v.dims = append(v.dims, int(d))
	}
	kind, n, _, small, err := readTag(r)
	if err != nil {
		return nil, err
	}
	if width := widths[kind]; n > size || width > 0 && n != total*width {
		return nil, errors.New("its dimensions don't fit its values")
	}
	v.kind, v.size, v.values = kind, n, r
	if small != nil {
		v.values = strings.NewReader(string(small))
	}
	return v, nil
}

// readTag reads an element's tag; small elements carry their data within it.
func readTag(r io.Reader) (kind uint32, n, padded int64, small []byte, err error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, 0, 0, nil, err
	}
	kind, size := binary.LittleEndian.Uint32(b[:]), binary.LittleEndian.Uint32(b[4:])
	if short := kind >> 16; short != 0 {
		if short > 4 {
			return 0, 0, 0, nil, errors.New("a small element has more than 4 bytes")
		}
		return kind & 0xffff, int64(short), 8, slices.Clone(b[4 : 4+short]), nil
	}
	return kind, int64(size), (int64(size) + 7) &^ 7, nil, nil
}

// number is the value at the beginning of b.
func (v *variable) number(b []byte) float64 {
	switch v.kind {
	case miInt8:
		return float64(int8(b[0]))
	case miInt16:
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case miUint16:
		return float64(binary.LittleEndian.Uint16(b))
	case miInt32:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case miUint32:
		return float64(binary.LittleEndian.Uint32(b))
	case miSingle:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case miDouble:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return float64(b[0])
}

// fractions tells whether the values are of a floating-point type.
func (v *variable) fractions() bool { return v.class == mxDouble || v.class == mxSingle }

// labels reads y. SVHN's class 10 stands for the digit 0.
func (v *variable) labels(path string) ([]int32, error) {
	width := widths[v.kind]
	if width == 0 {
		return nil, fault.Usagef("%s: y is no array of numbers", path)
	}
	b, err := io.ReadAll(io.LimitReader(v.values, v.size))
	if err != nil || int64(len(b)) < v.size {
		return nil, fault.Usagef("%s: y ends after %d of %d bytes", path, len(b), v.size)
	}
	labels := make([]int32, v.size/width)
	for i := range labels {
		y := v.number(b[int64(i)*width:])
		if !(y >= 0 && y <= 10) || y != math.Trunc(y) {
			return nil, fault.Usagef("%s: label %d is %v; SVHN's are 1 to 10", path, i, y)
		}
		labels[i] = int32(y) % 10
	}
	return labels, nil
}

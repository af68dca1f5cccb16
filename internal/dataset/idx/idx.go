// Package idx reads and writes IDX, the format of MNIST and its relatives: a
// magic number (two zero bytes, the type, the number of dimensions), the
// dimensions as big-endian 32-bit numbers, and the values; plain or gzip.
//
// Images are unsigned bytes in three dimensions (N, H, W), or four with 1 or 3
// channels first (N, C, H, W) or last (N, H, W, C). Labels are integers in one, or in two with the
// class first (QMNIST). A header is believed only as far as the file's length
// can bear it: no length allocates before its bytes are there.
package idx

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// Some types of values.
const (
	typeByte   = 0x08
	typeFloat  = 0x0d
	typeDouble = 0x0e
)

// types are the types of the format: their names, for errors, and bytes a value.
var types = map[byte]struct {
	name string
	size int64
}{typeByte: {"unsigned byte", 1}, 0x09: {"signed byte", 1}, 0x0b: {"int16", 2}, 0x0c: {"int32", 4}, typeFloat: {"float32", 4}, typeDouble: {"float64", 8}}

// header is the decoded beginning of a file.
type header struct {
	kind byte
	dims []int64
	size int64 // of the header, in bytes
}

// count is the number of rows, the first dimension.
func (h header) count() int64 { return h.dims[0] }

// data is the number of bytes that the values take.
func (h header) data() int64 {
	n := types[h.kind].size
	for _, d := range h.dims {
		n *= d
	}
	return n
}

// maxImage is the number of values of the largest image that is read.
const maxImage = 1 << 27

// maxData keeps the product of the dimensions far from overflow.
const maxData = 1 << 44

func parseHeader(path string, r io.Reader) (header, error) {
	var magic [4]byte
	if n, err := io.ReadFull(r, magic[:]); err != nil {
		return header{}, cut(path, int64(n), "magic number", err)
	}
	h := header{kind: magic[2], size: 4 + 4*int64(magic[3])}
	if magic[0] != 0 || magic[1] != 0 || types[h.kind].size == 0 {
		return h, fault.Usagef("%s: offset 0 (magic number): 0x%x, IDX begins with 0000, the type (08 for unsigned bytes) and the number of dimensions", path, magic)
	}
	if magic[3] < 1 || magic[3] > 4 {
		return h, fault.Usagef("%s: offset 3 (dimensions): %d, images have 3 or 4 and labels 1 or 2", path, magic[3])
	}
	total := int64(1)
	for i := range int64(magic[3]) {
		var b [4]byte
		if n, err := io.ReadFull(r, b[:]); err != nil {
			return h, cut(path, 4+4*i+int64(n), fmt.Sprintf("dimension %d", i), err)
		}
		d := int64(binary.BigEndian.Uint32(b[:]))
		if d == 0 || d > 1<<31 || total > maxData/d {
			return h, fault.Usagef("%s: offset %d (dimension %d): %d can't be; a dimension is at least 1, and all together at most %d values", path, 4+4*i, i, d, int64(maxData))
		}
		total *= d
		h.dims = append(h.dims, d)
	}
	return h, nil
}

// cut is the fault of a file that ends at offset, in the field named.
func cut(path string, offset int64, field string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Usagef("%s: offset %d (%s): the file ends here: it is truncated; get it again", path, offset, field)
	}
	return fault.Usagef("%s: offset %d (%s): %w", path, offset, field, err)
}

// deflateMost is how much deflate can compress at the very best.
const deflateMost = 1032

// checkLength compares what the header claims with what the file can hold.
func (h header) checkLength(f *source.File) error {
	want := h.size + h.data()
	switch {
	case f.Size < 0:
	case isGzip(f.Path):
		if want > f.Size*deflateMost {
			return fault.Usagef("%s: offset 4 (dimensions): %s take %d bytes, which %d compressed bytes can't hold", f.Path, h, want, f.Size)
		}
	case f.Size < want:
		return fault.Usagef("%s: offset %d (values): the file ends here, %s take %d bytes: it is truncated; get it again", f.Path, f.Size, h, want)
	case f.Size > want:
		return fault.Usagef("%s: offset %d (end): %d bytes follow the %s that the header announces; its counts are wrong, or two files were joined", f.Path, want, f.Size-want, h)
	}
	return nil
}

func (h header) String() string {
	parts := make([]string, len(h.dims))
	for i, d := range h.dims {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, "×") + " values"
}

func isGzip(path string) bool { return strings.HasSuffix(strings.ToLower(path), ".gz") }

// file is an opened IDX file behind its header.
type file struct {
	io.Reader
	header
	path string
	disk io.Closer
}

func open(f *source.File) (*file, error) {
	r, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	o := &file{path: f.Path, disk: r}
	o.Reader = bufio.NewReaderSize(r, 1<<18)
	if isGzip(f.Path) {
		z, err := gzip.NewReader(o.Reader)
		if err != nil {
			return nil, errors.Join(cut(f.Path, 0, "gzip header", err), o.Close())
		}
		o.Reader = bufio.NewReaderSize(z, 1<<18)
	}
	if o.header, err = parseHeader(f.Path, o.Reader); err == nil {
		err = o.checkLength(f)
	}
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return o, nil
}

// Close closes the file.
func (f *file) Close() error { return f.disk.Close() }

// end checks that nothing follows the values.
func (f *file) end() error {
	var b [1]byte
	switch _, err := io.ReadFull(f.Reader, b[:]); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return cut(f.path, f.size+f.data(), "end", err)
	}
	return fault.Usagef("%s: offset %d (end): bytes follow the %s that the header announces; its counts are wrong, or two files were joined", f.path, f.size+f.data(), f.header)
}

// raw is the layout of one image, or the fault of a file that holds none.
func (f *file) raw() (*source.Raw, error) {
	if f.kind != typeByte {
		return nil, fault.Usagef("%s: offset 2 (type): 0x%02x (%s), images are 0x08 (unsigned byte)", f.path, f.kind, types[f.kind].name)
	}
	d := f.dims
	if values := f.data() / d[0]; values > maxImage {
		return nil, fault.Usagef("%s: offset 8 (size of an image): %d values, more than %d are refused", f.path, values, maxImage)
	}
	switch {
	case len(d) == 3:
		return &source.Raw{Shape: arch.Shape{C: 1, H: int(d[1]), W: int(d[2])}, Planar: true}, nil
	case len(d) == 4 && (d[1] == 1 || d[1] == 3):
		return &source.Raw{Shape: arch.Shape{C: int(d[1]), H: int(d[2]), W: int(d[3])}, Planar: true}, nil
	case len(d) == 4 && (d[3] == 1 || d[3] == 3):
		return &source.Raw{Shape: arch.Shape{C: int(d[3]), H: int(d[1]), W: int(d[2])}}, nil
	case len(d) == 4:
		return nil, fault.Usagef("%s: offset 4 (dimensions): %s, of which neither the second nor the last is 1 or 3 channels", f.path, f.header)
	}
	return nil, fault.Usagef("%s: offset 3 (dimensions): %d, images have 3 (N, H, W) or 4 (N, C, H, W)", f.path, len(d))
}

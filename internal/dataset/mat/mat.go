// Package mat reads the .mat files of SVHN (cropped digits): MATLAB 5 files with
// the variables X, uint8 H×W×C×N, and y, N numbers, where class 10 stands for
// the digit 0. Other variables are passed over. Images are streamed; a length
// is believed only as far as the file can bear it.
package mat

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// splitOf maps the usual names of files to splits.
func splitOf(name string) string {
	base := strings.ToLower(path.Base(name))
	switch {
	case strings.HasPrefix(base, "train"):
		return source.Train
	case strings.HasPrefix(base, "test"):
		return source.Test
	}
	return source.Whole
}

// Collect makes a collection of the .mat files among list, nil without them. The
// "extra" images of SVHN are left out.
func Collect(_ string, list []source.File) (*source.Collection, error) {
	c := &source.Collection{Format: "mat"}
	for i := range list {
		f := &list[i]
		if strings.ToLower(path.Ext(f.Path)) != ".mat" || strings.HasPrefix(path.Base(f.Path), "extra") {
			continue
		}
		s, raw, err := split(f)
		if err != nil {
			return nil, err
		}
		if c.Raw != nil && *c.Raw != *raw || c.Find(s.Name) != nil {
			return nil, fault.Usagef("%s: holds images of another size, or for the same split, as another .mat file beside it", f.Path)
		}
		c.Raw = raw
		c.Splits = append(c.Splits, s)
	}
	if len(c.Splits) == 0 {
		return nil, nil
	}
	order := []string{source.Train, source.Test, source.Whole}
	slices.SortFunc(c.Splits, func(a, b source.Split) int { return slices.Index(order, a.Name) - slices.Index(order, b.Name) })
	c.Classes = strings.Fields("0 1 2 3 4 5 6 7 8 9")
	return c, nil
}

func split(f *source.File) (source.Split, *source.Raw, error) {
	dims, labels, err := contents(f)
	if err != nil {
		return source.Split{}, nil, err
	}
	if dims == nil || labels == nil {
		return source.Split{}, nil, fault.Usagef("%s: needs the variables X (images) and y (labels) of SVHN's cropped digits", f.Path)
	}
	raw := &source.Raw{Shape: arch.Shape{C: dims[2], H: dims[0], W: dims[1]}, Planar: true}
	if int64(dims[0])*int64(dims[1])*int64(dims[2]) > 1<<27 {
		return source.Split{}, nil, fault.Usagef("%s: X holds images of %d×%d, which are too large", f.Path, dims[0], dims[1])
	}
	if len(labels) != dims[3] || dims[2] != 1 && dims[2] != 3 {
		return source.Split{}, nil, fault.Usagef("%s: X holds %d images of %d channels (1 or 3 are read), y %d labels", f.Path, dims[3], dims[2], len(labels))
	}
	s := source.Split{Name: splitOf(f.Path), Rows: int64(dims[3]), Bytes: source.Occupied(f)}
	s.Labels = func() ([]int32, error) { return labels, nil }
	s.Open = func() (source.Stream, error) { return openStream(f, raw.Shape, labels) }
	return s, raw, nil
}

// contents are the dimensions of X and the values of y.
func contents(f *source.File) (dims []int, labels []int32, err error) {
	w, err := newWalk(f)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = w.disk.Close() }() // only read
	for {
		v, err := w.next()
		switch {
		case err == io.EOF: //nolint:errorlint // the end itself
			return dims, labels, nil
		case err != nil:
			return nil, nil, err
		case v.name == "y":
			if labels, err = v.labels(f.Path); err != nil {
				return nil, nil, err
			}
		case v.name == "X" && (v.kind != miUint8 || len(v.dims) < 3 || len(v.dims) > 4):
			return nil, nil, fault.Usagef("%s: X is no uint8 array of H×W×C×N", f.Path)
		case v.name == "X":
			dims = append(v.dims, 1)[:4]
		}
	}
}

// walk goes through the matrices of a file.
type walk struct {
	file *source.File
	disk io.Closer
	b    *bufio.Reader
	at   int64 // offset of the next element
	body *io.LimitedReader
}

func newWalk(f *source.File) (*walk, error) {
	r, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	w := &walk{file: f, disk: r, b: bufio.NewReaderSize(r, 1<<18), at: 128}
	w.body = &io.LimitedReader{R: w.b}
	var head [128]byte
	if _, err := io.ReadFull(w.b, head[:]); err != nil || !strings.HasPrefix(string(head[:]), "MATLAB 5.0 MAT-file") || string(head[126:]) != "IM" {
		err := fault.Usagef("%s: offset 0 (header): no little-endian MATLAB 5 file (version 7.3 is another format; save with -v7)", f.Path)
		return nil, errors.Join(err, r.Close())
	}
	return w, nil
}

// next is the next matrix, with what is left of the one before passed over;
// io.EOF after the last.
func (w *walk) next() (*variable, error) {
	for {
		if _, err := io.Copy(io.Discard, w.body); err != nil {
			return nil, w.fault(err)
		}
		var tag [8]byte
		if _, err := io.ReadFull(w.b, tag[:]); err == io.EOF {
			return nil, io.EOF
		} else if err != nil {
			return nil, w.fault(err)
		}
		kind, size := binary.LittleEndian.Uint32(tag[:]), int64(binary.LittleEndian.Uint32(tag[4:]))
		if left := w.file.Size - w.at - 8; w.file.Size >= 0 && size > left {
			return nil, w.fault(fmt.Errorf("it claims %d bytes, %d are left: the file is truncated", size, left))
		}
		w.body.N = size
		v, err := element(kind, size, w.body)
		if err != nil {
			return nil, w.fault(err)
		}
		w.at += 8 + size
		if v != nil {
			return v, nil
		}
	}
}

func (w *walk) fault(err error) error {
	return fault.Usagef("%s: offset %d (element): %w", w.file.Path, w.at, err)
}

// Package mat reads the .mat files of SVHN (cropped digits): MATLAB 5 files with the
// variables X, H×W×C×N of uint8, of other integers from 0 to 255 or of fractions from 0
// to 1 (with a range, any numbers), and y, N numbers, where class 10 stands for the digit
// 0. Other variables are left out. Images are streamed; a length is believed only as far
// as the file can bear it.
package mat

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/fault"
)

// Collect makes a collection of the .mat files among list, nil without them, or where
// files of images are there and no .mat holds any. SVHN's "extra" images are left out.
func Collect(_ string, list []source.File) (*source.Collection, error) {
	c := &source.Collection{Format: "mat"}
	span := new(pixel.Span)
	c.Stretch = span.Set
	var used []*source.File
	pictures := slices.ContainsFunc(list, func(f source.File) bool { return files.IsImage(f.Path) })
	for i := range list {
		f := &list[i]
		if strings.ToLower(path.Ext(f.Path)) != ".mat" {
			continue
		}
		used = append(used, f)
		if strings.HasPrefix(path.Base(f.Path), "extra") {
			c.LeftOut.Add("the extra images of SVHN", f.Path, 1)
			continue
		}
		h, err := contents(f)
		if err != nil || h.images == nil {
			if pictures {
				return nil, nil
			}
			return nil, cmp.Or(err, h.noImages(f.Path))
		}
		if err := h.join(c, f, span); err != nil {
			return nil, err
		}
	}
	if len(c.Splits) == 0 {
		return nil, nil
	}
	slices.SortFunc(c.Splits, func(a, b source.Split) int {
		return slices.Index(source.Order(), a.Name) - slices.Index(source.Order(), b.Name)
	})
	c.LeftOut.Others(list, used...)
	return c, nil
}

// held is what a file holds.
type held struct {
	images *variable
	labels []int32
	others []string // names of further variables
}

func (h held) noImages(path string) error {
	return fault.Usagef("%s: has no variable X of images, H×W×C×N as SVHN's; it holds %s: load it by scipy.io.loadmat, and save numpy.savez(\"data.npz\", x_train=…, y_train=…)", path, source.Few(h.others))
}

// join adds a file's images to a collection.
func (h held) join(c *source.Collection, f *source.File, span *pixel.Span) error {
	x := h.images
	raw := &source.Raw{Shape: arch.Shape{C: x.dims[2], H: x.dims[0], W: x.dims[1]}, Planar: true}
	split := source.Whole
	if s, _ := splitname.Of(strings.TrimSuffix(path.Base(f.Path), path.Ext(f.Path))); s != "" {
		split = s
	}
	switch {
	case int64(x.dims[0])*int64(x.dims[1])*int64(x.dims[2]) > 1<<27:
		return fault.Usagef("%s: X holds images of %d×%d, which are too large", f.Path, x.dims[0], x.dims[1])
	case x.dims[2] != 1 && x.dims[2] != 3 || h.labels != nil && len(h.labels) != x.dims[3]:
		return fault.Usagef("%s: X holds %d images of %d channels (1 or 3 are read), y %d labels", f.Path, x.dims[3], x.dims[2], len(h.labels))
	case c.Raw != nil && *c.Raw != *raw || c.Find(split) != nil:
		return fault.Usagef("%s: holds images of another size, or for the same split, as another .mat file beside it", f.Path)
	}
	if c.Raw = raw; x.fractions() {
		c.Full = 1
	}
	for _, name := range h.others {
		c.LeftOut.Add("variables that are no images and no labels", f.Path+": "+name, 1)
	}
	s := source.Split{Name: split, Rows: int64(x.dims[3]), Bytes: source.Occupied(f)}
	if h.labels != nil {
		c.Classes = strings.Fields("0 1 2 3 4 5 6 7 8 9")
		s.Labels = func() ([]int32, error) { return h.labels, nil }
	}
	s.Open = func() (source.Stream, error) { return openStream(f, raw.Shape, x.dims[3], h.labels, span) }
	c.Splits = append(c.Splits, s)
	return nil
}

// contents are the variables of a file.
func contents(f *source.File) (h held, err error) {
	w, err := newWalk(f)
	if err != nil {
		return h, err
	}
	defer func() { _ = w.disk.Close() }() // only read
	for {
		v, err := w.next()
		switch {
		case err == io.EOF: //nolint:errorlint // the end itself
			return h, nil
		case err != nil:
			return h, err
		case v.name == "y":
			if h.labels, err = v.labels(f.Path); err != nil {
				return h, err
			}
		case v.name == "X" && widths[v.kind] > 0 && (len(v.dims) == 3 || len(v.dims) == 4):
			v.dims = append(v.dims, 1)[:4]
			h.images = v
		default:
			h.others = append(h.others, cmp.Or(v.name, "an object"))
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

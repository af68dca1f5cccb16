package idx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// pair is an images file and its labels, which may be missing.
type pair struct {
	split, set     string
	images, labels *source.File
}

// Collect makes a collection of the image files among list that have the usual
// names, nil if there are none.
func Collect(list []source.File) (*source.Collection, error) {
	var pairs []pair
	var twins []*source.File
	for i := range list {
		f := &list[i]
		if !imagesName.MatchString(path.Base(f.Path)) || isGzip(f.Path) && find(list, strings.TrimSuffix(f.Path, path.Ext(f.Path))) != nil {
			continue
		}
		p := pair{images: f, labels: labelsOf(list, f.Path)}
		p.split, p.set = speaksOf(f.Path)
		again, err := repeats(pairs, p)
		if err != nil {
			return nil, err
		}
		if again {
			twins = append(twins, p.files()...)
			continue
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	c, err := collect(pairs)
	if err != nil {
		return nil, err
	}
	used := twins
	for _, p := range pairs {
		used = append(used, p.files()...)
	}
	for _, f := range twins {
		c.LeftOut.Add("files that are there twice", f.Path, 1)
	}
	c.LeftOut.Others(list, used...)
	return c, nil
}

func (p pair) files() []*source.File {
	if p.labels == nil {
		return []*source.File{p.images}
	}
	return []*source.File{p.images, p.labels}
}

// repeats tells whether the images of a split are there already; other images for the
// same split are a fault.
func repeats(pairs []pair, p pair) (bool, error) {
	for _, q := range pairs {
		if q.split != p.split {
			continue
		}
		if q.set == p.set && q.images.Size == p.images.Size {
			a, err := q.images.Digest()
			if err != nil {
				return false, err
			}
			if b, err := p.images.Digest(); err != nil || bytes.Equal(a, b) {
				return true, err
			}
		}
		return false, fault.Usagef("%s and %s are both images for the split %s; name the folder or the file of one", q.images.Path, p.images.Path, p.split)
	}
	return false, nil
}

// CollectFile makes a collection of one images file, with the labels file beside it (in
// its list) whose name says "labels" where this one says "images", and of the files of
// the same set's other splits there.
func CollectFile(images *source.File, list []source.File) (*source.Collection, error) {
	split, set := speaksOf(images.Path)
	pairs := []pair{{split, set, images, labelsOf(list, images.Path)}}
	for i := range list {
		f := &list[i]
		other, of := speaksOf(f.Path)
		if of != set || split == source.Whole || other == source.Whole || slices.ContainsFunc(pairs, func(p pair) bool { return p.split == other }) {
			continue
		}
		pairs = append(pairs, pair{other, of, f, labelsOf(list, f.Path)})
	}
	return collect(pairs)
}

func find(list []source.File, path string) *source.File {
	for i := range list {
		if list[i].Path == path {
			return &list[i]
		}
	}
	return nil
}

func collect(pairs []pair) (*source.Collection, error) {
	order := []string{source.Train, source.Val, source.Test, source.Whole}
	slices.SortFunc(pairs, func(a, b pair) int { return slices.Index(order, a.split) - slices.Index(order, b.split) })
	c := &source.Collection{Format: "idx"}
	if strings.Contains(strings.ToLower(path.Base(pairs[0].images.Path)), "emnist") {
		c.Notes = append(c.Notes, "EMNIST's files hold every image transposed, and it is read so, as torchvision reads it")
	}
	classes := 0
	for _, p := range pairs {
		f, err := open(p.images)
		if err != nil {
			return nil, err
		}
		raw, err := f.raw()
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if c.Raw != nil && *c.Raw != *raw {
			return nil, fault.Usagef("%s holds images of %v, %s of %v; all splits need the same", pairs[0].images.Path, c.Raw.Shape, p.images.Path, raw.Shape)
		}
		c.Raw = raw
		s := source.Split{Name: p.split, Rows: f.count(), Bytes: source.Occupied(p.images, p.labels)}
		var labels []int32
		var perImage int64
		if p.labels != nil {
			if labels, perImage, err = readLabels(p.labels, f.count(), p.images.Path); err != nil {
				return nil, err
			}
			if perImage != 1 {
				c.Notes = append(c.Notes, fmt.Sprintf("%s: the class is the first of %d numbers an image; the others are not read", p.labels.Path, perImage))
			}
			s.Labels = func() ([]int32, error) { return labels, nil }
			classes = max(classes, int(slices.Max(labels))+1)
		}
		s.Open = func() (source.Stream, error) { return openStream(p.images, raw.Shape.Values(), labels) }
		c.Splits = append(c.Splits, s)
		c.LeaveUnsplit(p.images.Path)
	}
	for i := range classes {
		c.Classes = append(c.Classes, strconv.Itoa(i))
	}
	return c, nil
}

// readLabels reads the labels of count images; of several numbers an image, as QMNIST
// has them, the first one is its class.
func readLabels(from *source.File, count int64, images string) (labels []int32, perImage int64, err error) {
	f, err := open(from)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }() // only read
	if f.kind == typeFloat || f.kind == typeDouble || len(f.dims) > 2 {
		return nil, 0, fault.Usagef("%s: offset 0 (magic number): type 0x%02x (%s) in %d dimensions, labels are integers in one, or in two with the class first", from.Path, f.kind, types[f.kind].name, len(f.dims))
	}
	if f.count() != count {
		return nil, 0, fault.Usagef("%s: offset 4 (number of labels): %d, but %s holds %d images; the two files don't belong together", from.Path, f.count(), images, count)
	}
	b, err := io.ReadAll(io.LimitReader(f.Reader, f.data()))
	if err == nil && int64(len(b)) < f.data() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, 0, cut(from.Path, f.size+int64(len(b)), "labels", err)
	}
	if err := f.end(); err != nil {
		return nil, 0, err
	}
	labels = make([]int32, count)
	each := f.data() / count
	for i := range labels {
		at := int64(i) * each
		v := f.integer(b[at:])
		if err := source.CheckClass(v); err != nil {
			return nil, 0, fault.Usagef("%s: offset %d (label %d): %w", from.Path, f.size+at, i, err)
		}
		labels[i] = int32(v)
	}
	return labels, f.data() / count / types[f.kind].size, nil
}

// integer is the value at the beginning of b.
func (h header) integer(b []byte) int64 {
	switch types[h.kind].size {
	case 4:
		return int64(int32(binary.BigEndian.Uint32(b)))
	case 2:
		return int64(int16(binary.BigEndian.Uint16(b)))
	}
	if h.kind == typeByte {
		return int64(b[0])
	}
	return int64(int8(b[0]))
}

// stream reads images one after the other.
type stream struct {
	*file
	labels []int32
	row    int64
	values int
}

func openStream(images *source.File, values int, labels []int32) (source.Stream, error) {
	f, err := open(images)
	if err != nil {
		return nil, err
	}
	return &stream{file: f, labels: labels, values: values}, nil
}

func (s *stream) Next(it *source.Item) error {
	if s.row == s.count() {
		if err := s.end(); err != nil {
			return err
		}
		return io.EOF
	}
	it.Data = slices.Grow(it.Data[:0], s.values)[:s.values]
	if n, err := io.ReadFull(s.Reader, it.Data); err != nil {
		return cut(s.path, s.size+s.row*int64(s.values)+int64(n), "image "+strconv.FormatInt(s.row, 10), err)
	}
	it.Label, it.Path, it.File, it.Bytes = -1, "", nil, int64(s.values)
	if s.labels != nil {
		it.Label = s.labels[s.row]
	}
	s.row++
	return nil
}

package idx

import (
	"encoding/binary"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// imagesName matches the usual names of image files, with the split in them.
var imagesName = regexp.MustCompile(`(?i)^(?:.*[-_.])?(train|t10k|test|val|valid|validation)[-_.]images[-_.]idx[34][-_.]ubyte(?:\.gz)?$`)

// splitNames maps the words in file names to splits.
var splitNames = map[string]string{"train": source.Train, "t10k": source.Test, "test": source.Test, "val": source.Val, "valid": source.Val, "validation": source.Val}

// pair is an images file and its labels, which may be missing.
type pair struct {
	split          string
	images, labels *source.File
}

// Collect makes a collection of the image files among list that have the usual
// names, nil if there are none.
func Collect(list []source.File) (*source.Collection, error) {
	var pairs []pair
	for i := range list {
		m := imagesName.FindStringSubmatch(path.Base(list[i].Path))
		if m == nil || isGzip(list[i].Path) && find(list, strings.TrimSuffix(list[i].Path, path.Ext(list[i].Path))) != nil {
			continue
		}
		p := pair{splitNames[strings.ToLower(m[1])], &list[i], labelsOf(list, list[i].Path)}
		for _, q := range pairs {
			if q.split == p.split {
				return nil, fault.Usagef("%s and %s are both images for the split %s; name the folder or the file of one", q.images.Path, p.images.Path, p.split)
			}
		}
		pairs = append(pairs, p)
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	order := []string{source.Train, source.Val, source.Test}
	slices.SortFunc(pairs, func(a, b pair) int { return slices.Index(order, a.split) - slices.Index(order, b.split) })
	return collect(pairs)
}

// CollectFile makes a collection of one images file, with the labels file
// beside it (in its list) whose name says "labels" where this one says "images".
func CollectFile(images *source.File, list []source.File) (*source.Collection, error) {
	split := source.Whole
	if m := imagesName.FindStringSubmatch(path.Base(images.Path)); m != nil {
		split = splitNames[strings.ToLower(m[1])]
	}
	return collect([]pair{{split, images, labelsOf(list, images.Path)}})
}

func find(list []source.File, path string) *source.File {
	for i := range list {
		if list[i].Path == path {
			return &list[i]
		}
	}
	return nil
}

// labelsOf is the labels file that goes with the images file, plain or gzip.
func labelsOf(list []source.File, images string) *source.File {
	dir, base := path.Split(images)
	if isGzip(base) {
		base = base[:len(base)-len(".gz")]
	}
	for _, r := range [][2]string{{"images", "labels"}, {"idx3", "idx1"}, {"idx4", "idx1"}} {
		base = strings.ReplaceAll(base, r[0], r[1])
	}
	if f := find(list, dir+base); f != nil && f.Path != images {
		return f
	}
	return find(list, dir+base+".gz")
}

func collect(pairs []pair) (*source.Collection, error) {
	c := &source.Collection{Format: "idx"}
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
		if p.labels != nil {
			if labels, err = readLabels(p.labels, f.count(), p.images.Path); err != nil {
				return nil, err
			}
			s.Labels = func() ([]int32, error) { return labels, nil }
			classes = max(classes, int(slices.Max(labels))+1)
		}
		s.Open = func() (source.Stream, error) { return openStream(p.images, raw.Shape.Values(), labels) }
		c.Splits = append(c.Splits, s)
	}
	for i := range classes {
		c.Classes = append(c.Classes, strconv.Itoa(i))
	}
	return c, nil
}

// readLabels reads the labels of count images.
func readLabels(from *source.File, count int64, images string) ([]int32, error) {
	f, err := open(from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	if f.kind != typeByte && f.kind != typeInt32 || len(f.dims) != 1 {
		return nil, fault.Usagef("%s: offset 0 (magic number): type 0x%02x in %d dimensions, labels are 0x08 (unsigned byte) or 0x0c (int32) in one", from.Path, f.kind, len(f.dims))
	}
	if f.count() != count {
		return nil, fault.Usagef("%s: offset 4 (number of labels): %d, but %s holds %d images; the two files don't belong together", from.Path, f.count(), images, count)
	}
	b, err := io.ReadAll(io.LimitReader(f.Reader, f.data()))
	if err == nil && int64(len(b)) < f.data() {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, cut(from.Path, f.size+int64(len(b)), "labels", err)
	}
	if err := f.end(); err != nil {
		return nil, err
	}
	labels := make([]int32, count)
	for i := range labels {
		if f.kind == typeByte {
			labels[i] = int32(b[i])
			continue
		}
		labels[i] = int32(binary.BigEndian.Uint32(b[4*i:]))
		if err := source.CheckClass(int64(labels[i])); err != nil {
			return nil, fault.Usagef("%s: offset %d (label %d): %w", from.Path, f.size+4*int64(i), i, err)
		}
	}
	return labels, nil
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

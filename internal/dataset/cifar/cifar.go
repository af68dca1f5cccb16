// Package cifar reads CIFAR-10 and CIFAR-100. The binary version is files of records
// without a header, one or two label bytes and 3·32·32 pixels (CHW); the Python version is
// pickles of batches, as torchvision keeps them. CIFAR-100's fine labels are the classes.
// The length of a binary file must be whole records, and labels must be classes.
//
// Costs: the Python version is read once when it is opened, for its labels, and holds a
// file in memory.
package cifar

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

const pixels = 3 * 32 * 32

// variant is one of the two sets.
type variant struct {
	classes, labelBytes int
	names               string // the file with the classes' names, one a line
}

var (
	cifar10  = variant{10, 1, "batches.meta.txt"}
	cifar100 = variant{100, 2, "fine_label_names.txt"}
	batch    = regexp.MustCompile(`^data_batch_\d+\.bin$`)
)

// Collect makes a collection of the usual files among list, nil without them.
func Collect(list []source.File) (*source.Collection, error) {
	v, train := cifar10, pick(list, batch.MatchString)
	test := pick(list, func(n string) bool { return n == "test_batch.bin" })
	names := pick(list, func(n string) bool { return n == v.names })
	if len(train)+len(test) == 0 {
		v = cifar100
		names = pick(list, func(n string) bool { return n == v.names })
		train = pick(list, func(n string) bool { return n == "train.bin" })
		test = pick(list, func(n string) bool { return n == "test.bin" })
		if len(names) == 0 || len(train)+len(test) == 0 {
			return nil, nil
		}
	}
	used := slices.Concat(train, test, names)
	for _, files := range []*[]*source.File{&train, &test, &names} {
		var err error
		if *files, err = once(*files); err != nil {
			return nil, err
		}
	}
	c := &source.Collection{Format: "cifar", Raw: &source.Raw{Shape: arch.Shape{C: 3, H: 32, W: 32}, Planar: true}}
	for _, s := range []struct {
		name  string
		files []*source.File
	}{{source.Train, train}, {source.Test, test}} {
		if len(s.files) == 0 {
			continue
		}
		split, err := v.split(s.name, s.files)
		if err != nil {
			return nil, err
		}
		c.Splits = append(c.Splits, split)
	}
	if again := len(used) - len(train) - len(test) - len(names); again > 0 {
		c.LeftOut.Add("files that are there twice", used[len(used)-1].Path, again)
	}
	c.LeftOut.Others(list, used...)
	var err error
	c.Classes, err = source.ClassNames(first(names), v.classes)
	return c, err
}

func first(list []*source.File) *source.File {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// once leaves one of several files of one name, if they are the same.
func once(list []*source.File) ([]*source.File, error) {
	var out []*source.File
	for _, f := range list {
		i := slices.IndexFunc(out, func(o *source.File) bool { return path.Base(o.Path) == path.Base(f.Path) })
		if i < 0 {
			out = append(out, f)
			continue
		}
		a, err := out[i].Digest()
		if err != nil {
			return nil, err
		}
		if b, err := f.Digest(); err != nil || !bytes.Equal(a, b) {
			return nil, errors.Join(err, fault.Usagef("%s and %s are different batches of one name; name the folder of one set", out[i].Path, f.Path))
		}
	}
	return out, nil
}

func pick(list []source.File, is func(base string) bool) []*source.File {
	var out []*source.File
	for i := range list {
		if is(path.Base(list[i].Path)) {
			out = append(out, &list[i])
		}
	}
	return out
}

func (v variant) record() int64 { return int64(v.labelBytes + pixels) }

func (v variant) split(name string, list []*source.File) (source.Split, error) {
	s := source.Split{Name: name, Bytes: source.Occupied(list...)}
	for _, f := range list {
		if f.Size%v.record() != 0 || f.Size <= 0 {
			return s, fault.Usagef("%s: offset %d: the file ends within a record of %d bytes; get it again", f.Path, f.Size, v.record())
		}
		s.Rows += f.Size / v.record()
	}
	s.Open = func() (source.Stream, error) { return &stream{variant: v, files: list}, nil }
	s.Labels = func() ([]int32, error) {
		st := &stream{variant: v, files: list}
		var labels []int32
		var it source.Item
		for {
			switch err := st.Next(&it); {
			case err == io.EOF: //nolint:errorlint // the end itself
				return labels, nil
			case err != nil:
				return nil, errors.Join(err, st.Close())
			}
			labels = append(labels, it.Label)
		}
	}
	return s, nil
}

// stream reads records file after file.
type stream struct {
	variant
	files  []*source.File
	disk   io.Closer
	reader *bufio.Reader
	offset int64
}

func (s *stream) Next(it *source.Item) error {
	for s.reader == nil || s.offset == s.files[0].Size {
		if s.reader != nil {
			s.files = s.files[1:]
		}
		if err := s.Close(); err != nil {
			return err
		}
		if len(s.files) == 0 {
			return io.EOF
		}
		r, err := s.files[0].Reader()
		if err != nil {
			return fault.Usagef("%w", err)
		}
		s.disk, s.reader, s.offset = r, bufio.NewReaderSize(r, 1<<18), 0
	}
	n := int(s.record())
	it.Data = slices.Grow(it.Data[:0], n)[:n]
	if _, err := io.ReadFull(s.reader, it.Data); err != nil {
		return fault.Usagef("%s: offset %d (record %d): %w", s.files[0].Path, s.offset, s.offset/s.record(), err)
	}
	label := it.Data[s.labelBytes-1]
	if int(label) >= s.classes {
		return fault.Usagef("%s: offset %d (label of record %d): %d, classes are 0 to %d", s.files[0].Path, s.offset+int64(s.labelBytes)-1, s.offset/s.record(), label, s.classes-1)
	}
	s.offset += s.record()
	copy(it.Data, it.Data[s.labelBytes:])
	it.Data = it.Data[:pixels]
	it.Label, it.Path, it.File, it.Bytes = int32(label), "", nil, s.record()
	return nil
}

func (s *stream) Close() error {
	if s.disk == nil {
		return nil
	}
	err := s.disk.Close()
	s.disk, s.reader = nil, nil
	return err
}

package cifar

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset/pickle"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// maxPickle is larger than any of CIFAR's files.
const maxPickle = 256 << 20

// pickled is the Python version of one of the two sets, as torchvision keeps it.
type pickled struct {
	variant
	train       *regexp.Regexp
	test, meta  string
	labels, key string // of labels in the batches, of the names of classes in the meta file
}

var pickledSets = []pickled{
	{cifar10, regexp.MustCompile(`^data_batch_\d+$`), "test_batch", "batches.meta", "labels", "label_names"},
	{cifar100, regexp.MustCompile(`^train$`), "test", "meta", "fine_labels", "fine_label_names"},
}

// CollectPython makes a collection of the usual files of the Python version among list,
// nil without them.
func CollectPython(list []source.File) (*source.Collection, error) {
	for _, p := range pickledSets {
		train := pick(list, p.train.MatchString)
		test := pick(list, func(n string) bool { return n == p.test })
		meta := pick(list, func(n string) bool { return n == p.meta })
		if len(train)+len(test) > 0 && len(meta) > 0 {
			return p.collect(list, train, test, meta)
		}
	}
	return nil, nil
}

func (p pickled) collect(list []source.File, train, test, meta []*source.File) (*source.Collection, error) {
	c := &source.Collection{Format: "cifar", Raw: &source.Raw{Shape: arch.Shape{C: 3, H: 32, W: 32}, Planar: true}}
	for _, s := range []struct {
		name  string
		files []*source.File
	}{{source.Train, train}, {source.Test, test}} {
		files, err := once(s.files)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			continue
		}
		split, err := p.split(s.name, files)
		if err != nil {
			return nil, err
		}
		c.Splits = append(c.Splits, split)
	}
	c.LeftOut.Others(list, slices.Concat(train, test, meta)...)
	var err error
	c.Classes, err = p.classNames(meta[0])
	return c, err
}

// load reads a file that holds a dictionary.
func load(f *source.File) (map[string]any, error) {
	b, err := f.Content(maxPickle)
	if err != nil {
		return nil, err
	}
	v, err := pickle.Read(b)
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	d, ok := v.(map[string]any)
	if !ok {
		return nil, fault.Usagef("%s: holds no dictionary", f.Path)
	}
	return d, nil
}

func (p pickled) classNames(f *source.File) ([]string, error) {
	d, err := load(f)
	if err != nil {
		return nil, err
	}
	items, _ := d[p.key].([]any)
	var names []string
	for _, n := range items {
		s, ok := n.(string)
		if !ok {
			break
		}
		names = append(names, strings.ToValidUTF8(s, "?"))
	}
	if len(names) != p.classes {
		return nil, fault.Usagef("%s: %s names %d classes, there are %d", f.Path, p.key, len(names), p.classes)
	}
	return names, nil
}

// batchOf are the pixels and labels of a file.
func (p pickled) batchOf(f *source.File) ([]byte, []int32, error) {
	d, err := load(f)
	if err != nil {
		return nil, nil, err
	}
	data, _ := d["data"].(*pickle.Array)
	items, _ := d[p.labels].([]any)
	if data == nil || data.Type != "u1" || len(data.Data) != len(items)*pixels || len(items) == 0 {
		return nil, nil, fault.Usagef("%s: needs data, N×%d of bytes, and %s, N numbers", f.Path, pixels, p.labels)
	}
	labels := make([]int32, len(items))
	for i, v := range items {
		n, ok := v.(int64)
		if !ok || n < 0 || n >= int64(p.classes) {
			return nil, nil, fault.Usagef("%s: label %d is %v, classes are 0 to %d", f.Path, i, v, p.classes-1)
		}
		labels[i] = int32(n)
	}
	return data.Data, labels, nil
}

func (p pickled) split(name string, list []*source.File) (source.Split, error) {
	slices.SortFunc(list, func(a, b *source.File) int { return strings.Compare(path.Base(a.Path), path.Base(b.Path)) })
	s := source.Split{Name: name, Bytes: source.Occupied(list...)}
	var labels []int32
	for _, f := range list {
		_, more, err := p.batchOf(f)
		if err != nil {
			return s, err
		}
		labels = append(labels, more...)
	}
	s.Rows = int64(len(labels))
	s.Labels = func() ([]int32, error) { return labels, nil }
	s.Open = func() (source.Stream, error) { return &pickledStream{pickled: p, files: list}, nil }
	return s, nil
}

// pickledStream reads file after file, each whole.
type pickledStream struct {
	pickled
	files []*source.File
	data  []byte
	left  []int32 // labels of the images in data
}

func (s *pickledStream) Next(it *source.Item) error {
	if len(s.left) == 0 {
		if len(s.files) == 0 {
			return io.EOF
		}
		var err error
		if s.data, s.left, err = s.batchOf(s.files[0]); err != nil {
			return fmt.Errorf("a batch changed while it was read: %w", err)
		}
		s.files = s.files[1:]
	}
	it.Data = append(it.Data[:0], s.data[:pixels]...)
	it.Label, it.Path, it.File, it.Bytes = s.left[0], "", nil, pixels
	s.data, s.left = s.data[pixels:], s.left[1:]
	return nil
}

func (s *pickledStream) Close() error { return nil }

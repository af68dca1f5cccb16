package npy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// array is one file.
type array struct {
	*source.File
	role
	header
	err    error // of the header
	labels *array
}

// Collect makes a collection of the arrays among list, nil if there are none, or if half
// as many files of images are there as an array holds at most. A single array holds
// images, whatever its name.
func Collect(name string, list []source.File) (*source.Collection, error) {
	var arrays []*array
	pictures := 0
	for i := range list {
		f := &list[i]
		switch {
		case strings.HasSuffix(strings.ToLower(f.Path), ".npy"):
			a := &array{File: f, role: roleOf(f.Path)}
			a.header, a.err = headerOf(f)
			arrays = append(arrays, a)
		case files.IsImage(f.Path):
			pictures++
		}
	}
	if len(arrays) == 0 || pictures > 0 && int64(2*pictures) >= mostRows(arrays) {
		return nil, nil
	}
	c := &source.Collection{Format: "npy"}
	splits, classes, err := choose(c, name, arrays)
	if err == nil {
		err = collect(c, splits, classes)
	}
	if err != nil {
		return nil, err
	}
	var known []*source.File
	for _, a := range arrays {
		known = append(known, a.File)
	}
	for _, a := range arrays {
		if !uses(splits, a) {
			c.LeftOut.Add("arrays that are no images and no labels, by their names", a.Path, 1)
		}
	}
	c.LeftOut.Others(list, known...)
	return c, nil
}

// mostRows are the images in the largest array that can hold some.
func mostRows(arrays []*array) int64 {
	most := int64(0)
	for _, a := range arrays {
		if a.err == nil && a.raw() != nil {
			most = max(most, a.rows())
		}
	}
	return most
}

// uses tells whether an array is read, or left out as labels with the reason.
func uses(splits map[string][]*array, a *array) bool {
	for _, of := range splits {
		if slices.ContainsFunc(of, func(b *array) bool { return b == a || b.labels == a }) {
			return true
		}
	}
	return false
}

// choose finds the arrays of images of each split, with their labels. classes says that
// each of several is a class.
func choose(c *source.Collection, name string, arrays []*array) (splits map[string][]*array, classes bool, err error) {
	splits = map[string][]*array{}
	if len(arrays) == 1 {
		splits[arrays[0].split] = arrays
		return splits, false, nil
	}
	for _, split := range source.Order() {
		image, err := pick(name, arrays, split, images)
		if err != nil {
			return nil, false, err
		}
		if image == nil {
			continue
		}
		if image.labels, err = pick(name, arrays, split, labels); err != nil {
			return nil, false, err
		}
		splits[split] = []*array{image}
	}
	if len(splits) > 0 {
		return splits, false, nil
	}
	return byShape(c, name, arrays)
}

// pick is the array of a kind in a split, by its exact name if one has it.
func pick(name string, arrays []*array, split string, k kind) (*array, error) {
	var found *array
	for _, exact := range []bool{true, false} {
		for _, a := range arrays {
			if a.split != split || a.is != k || a.exact != exact {
				continue
			}
			if found != nil {
				return nil, fault.Usagef("%s: the arrays %s and %s both seem to be for the split %s; name the file of one, or move the other away", name, found.Path, a.Path, split)
			}
			found = a
		}
		if found != nil {
			break
		}
	}
	return found, nil
}

// byShape finds images where no name speaks of them: one array a split that can hold some
// beside labels, or one a class.
func byShape(c *source.Collection, name string, arrays []*array) (splits map[string][]*array, classes bool, err error) {
	splits = map[string][]*array{}
	var names []string
	for _, a := range arrays {
		names = append(names, path.Base(a.Path))
		if a.is == unnamed && a.err == nil && a.raw() != nil {
			splits[a.split] = append(splits[a.split], a)
			classes = classes || len(splits[a.split]) > 1
		}
	}
	given := slices.ContainsFunc(arrays, func(a *array) bool { return a.is == labels })
	if len(splits) == 0 || classes && given {
		return nil, false, fault.Usagef("%s: which of the arrays %s are the images? Name them images, x, x_train and x_test, train_images …", name, source.Few(names))
	}
	if classes && !slices.ContainsFunc(arrays, func(a *array) bool { return a.err != nil || !a.looksSingle() }) {
		c.Notes = append(c.Notes, "every array is read as one image, whose class is its folder")
		for _, a := range arrays {
			a.makeSingle()
		}
		return splits, true, nil
	}
	if classes {
		c.Notes = append(c.Notes, "every array is read as a class that is named as its file")
		return splits, true, nil
	}
	for split, of := range splits {
		c.Notes = append(c.Notes, fmt.Sprintf("%s is read as the images, by its shape", of[0].Path))
		if of[0].labels, err = pick(name, arrays, split, labels); err != nil {
			return nil, false, err
		}
	}
	return splits, false, nil
}

// classOf is the class that an array's name speaks of, or of one image its folder's.
func (a *array) classOf() string {
	if a.single {
		return strings.TrimPrefix(path.Base(path.Dir(a.Path)), ".")
	}
	stem := strings.ReplaceAll(strings.TrimSuffix(path.Base(a.Path), path.Ext(a.Path)), "%2F", "_")
	return strings.TrimPrefix(stem, "full_numpy_bitmap_")
}

func collect(c *source.Collection, splits map[string][]*array, classes bool) error {
	span := new(pixel.Span)
	c.Stretch = span.Set
	var words [][]string
	for _, split := range source.Order() {
		of := splits[split]
		if len(of) == 0 {
			continue
		}
		var list []string
		for _, a := range of {
			if err := a.join(c); err != nil {
				return err
			}
			if classes {
				list = append(list, slices.Repeat([]string{a.classOf()}, int(a.rows()))...)
			}
		}
		if a := of[0]; a.labels != nil {
			var err error
			if list, err = a.labelsOf(c); err != nil {
				return err
			}
		}
		words = append(words, list)
	}
	var numbers map[string]int32
	c.Classes, numbers = source.Classes(nil, words...)
	for _, split := range source.Order() {
		if of := splits[split]; len(of) > 0 {
			c.Splits = append(c.Splits, newSplit(split, of, words[0], numbers, span))
			words = words[1:]
			c.LeaveUnsplit(of[0].Path)
		}
	}
	return nil
}

// join settles what an array is read as, and holds it against the others.
func (a *array) join(c *source.Collection) error {
	if a.single {
		return a.fit(c)
	}
	if a.err == nil && a.looksSingle() && (a.labels == nil || a.labels.err != nil || a.labels.rows() != a.rows()) {
		a.makeSingle()
	}
	if err := a.fit(c); err != nil {
		return err
	}
	if note := a.noteOn(a.Path); note != "" && !slices.Contains(c.Notes, note) {
		c.Notes = append(c.Notes, note)
	}
	return nil
}

// fit holds an array's layout against that of the others.
func (a *array) fit(c *source.Collection) error {
	if a.err != nil {
		return a.err
	}
	raw, err := a.layout(a.Path)
	if err != nil {
		return err
	}
	if a.kind == 'f' || a.kind == 'b' {
		c.Full = 1
	}
	if c.Raw != nil && *c.Raw != *raw {
		return fault.Usagef("%s: its images are %v, those of another array %v; all need the same", a.Path, raw.Shape, c.Raw.Shape)
	}
	c.Raw = raw
	return nil
}

func newSplit(name string, of []*array, words []string, numbers map[string]int32, span *pixel.Span) source.Split {
	s := source.Split{Name: name}
	var all []*source.File
	for _, a := range of {
		s.Rows += a.rows()
		all = append(all, a.File)
		if a.labels != nil {
			all = append(all, a.labels.File)
		}
	}
	s.Bytes = source.Occupied(all...)
	var classOf []int32
	if words != nil {
		classOf = make([]int32, len(words))
		for i, w := range words {
			classOf[i] = numbers[w]
		}
		s.Labels = func() ([]int32, error) { return classOf, nil }
	}
	s.Open = func() (source.Stream, error) { return &streams{arrays: of, labels: classOf, span: span}, nil }
	return s
}

// Singles makes a split of arrays that hold one image each, H×W, H×W×C or C×H×W, all of
// one layout. The header of each is read.
func Singles(c *source.Collection, name string, list []*source.File, labels []int32, span *pixel.Span) (source.Split, error) {
	arrays := make([]*array, len(list))
	for i, f := range list {
		a := &array{File: f}
		if a.header, a.err = headerOf(f); a.err == nil {
			a.makeSingle()
		}
		if err := a.fit(c); err != nil {
			return source.Split{}, err
		}
		arrays[i] = a
	}
	s := newSplit(name, arrays, nil, nil, span)
	s.Labels = func() ([]int32, error) { return labels, nil }
	s.Open = func() (source.Stream, error) {
		return &streams{arrays: arrays, labels: labels, span: span, named: true}, nil
	}
	return s, nil
}

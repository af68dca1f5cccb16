// Package webdataset reads the layout of WebDataset: archives, or folders of
// them, in which the files of one sample share a name up to the first dot of its
// last part. The image is the member with an image's ending, or where there are none the
// .npy; the label is in a .cls member (a number, or a name), or in a .json object under
// "label", "cls" or "class". Without labels at all, it is a flat folder.
package webdataset

import (
	"bytes"
	"cmp"
	"encoding/json"
	"path"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/npy"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/fault"
)

// sample is the members with one key.
type sample struct {
	split        string
	image, label *source.File
	array        *source.File // .npy
	class        string
	number       int32
}

// Collect makes a collection of the samples in a list of files, sorted by path;
// nil if no image has a .cls beside it, or in a tar (or several) a .json.
func Collect(name string, list []source.File) (*source.Collection, error) {
	c := &source.Collection{Format: "webdataset"}
	if !inTar(name, list) && !slices.ContainsFunc(list, func(f source.File) bool { return strings.HasSuffix(f.Path, ".cls") }) {
		return nil, nil
	}
	samples, labelled := gather(c, list)
	if !labelled {
		return nil, nil
	}
	for i := range samples {
		s := &samples[i]
		if err := s.readClass(); err != nil {
			return nil, err
		}
		if s.label != nil && s.class == "" {
			c.LeftOut.Add("labels that name no class", s.label.Path, 1)
		}
	}
	var err error
	if c.Classes, err = number(samples); err != nil {
		return nil, err
	}
	span := new(pixel.Span)
	for _, split := range source.Order() {
		var part []sample
		for _, s := range samples {
			if s.split == split {
				part = append(part, s)
			}
		}
		if len(part) == 0 {
			continue
		}
		s, err := newSplit(c, split, part, span)
		if err != nil {
			return nil, err
		}
		c.Splits = append(c.Splits, s)
		c.LeaveUnsplit(part[0].image.Path)
	}
	if c.Raw != nil {
		c.Stretch = span.Set
	}
	return c, nil
}

func inTar(name string, list []source.File) bool {
	return strings.Contains(path.Base(strings.ToLower(name)), ".tar") || len(list) > 0 && strings.Contains(list[0].Path, ".tar/")
}

// gather groups members by key, in the order of the keys.
func gather(c *source.Collection, list []source.File) (samples []sample, labelled bool) {
	groups := map[string]*sample{}
	var keys []string
	for i := range list {
		f := &list[i]
		dir, base := path.Split(f.Path)
		key, ending, _ := strings.Cut(base, ".")
		key = dir + key
		s := groups[key]
		if s == nil {
			s = &sample{split: cmp.Or(splitname.OfFolders(path.Dir(f.Path)), source.Whole)}
			groups[key] = s
			keys = append(keys, key)
		}
		switch {
		case files.IsImage(f.Path) && s.image == nil:
			s.image = f
		case strings.HasSuffix(base, ".npy") && s.array == nil:
			s.array = f
		case ending == "cls", ending == "json" && s.label == nil:
			s.label = f
		default:
			c.LeftOut.Add(source.NotRead(f.Path), f.Path, 1)
		}
	}
	slices.Sort(keys)
	files := slices.ContainsFunc(keys, func(k string) bool { return groups[k].image != nil })
	for _, k := range keys {
		s := groups[k]
		switch {
		case s.array != nil && files:
			c.LeftOut.Add(source.NotRead(s.array.Path), s.array.Path, 1)
		case s.array != nil:
			s.image = s.array
		}
		if s.image == nil {
			if s.label != nil {
				c.LeftOut.Add("labels without an image", s.label.Path, 1)
			}
			continue
		}
		labelled = labelled || s.label != nil
		samples = append(samples, *s)
	}
	return samples, labelled
}

// maxLabel is longer than any file with a label.
const maxLabel = 1 << 20

func (s *sample) readClass() error {
	if s.label == nil {
		return nil
	}
	b, err := s.label.Content(maxLabel)
	if err != nil {
		return err
	}
	if strings.HasSuffix(s.label.Path, ".cls") {
		s.class = string(bytes.TrimSpace(b))
		return nil
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return fault.Usagef("%s: %w; a label is in an object under \"label\", \"cls\" or \"class\"", s.label.Path, err)
	}
	for _, key := range []string{"label", "cls", "class"} {
		switch v := object[key].(type) {
		case json.Number:
			s.class = v.String()
		case string:
			s.class = v
		default:
			continue
		}
		break
	}
	return nil
}

// number gives the classes their numbers; see source.Classes.
func number(samples []sample) ([]string, error) {
	var lists [][]string
	for _, split := range source.Order() {
		var words []string
		for _, s := range samples {
			if n, err := strconv.Atoi(s.class); err == nil {
				if err := source.CheckClass(int64(n)); err != nil {
					return nil, fault.Usagef("%s: %w; or give the classes names", s.label.Path, err)
				}
			}
			if s.split == split && s.class != "" {
				words = append(words, s.class)
			}
		}
		lists = append(lists, words)
	}
	names, numbers := source.Classes(nil, lists...)
	for i := range samples {
		samples[i].number = numbers[samples[i].class]
	}
	return names, nil
}

func newSplit(c *source.Collection, name string, part []sample, span *pixel.Span) (source.Split, error) {
	if part[0].array != nil && part[0].image == part[0].array {
		list, labels := make([]*source.File, len(part)), make([]int32, len(part))
		for i, p := range part {
			list[i], labels[i] = p.image, p.number
		}
		return npy.Singles(c, name, list, labels, span)
	}
	images := make([]source.Image, len(part))
	for i, p := range part {
		images[i] = source.Image{File: p.image, Label: p.number}
	}
	return source.Images(name, images, len(c.Classes) > 0), nil
}

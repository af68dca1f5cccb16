// Package webdataset reads the layout of WebDataset: archives, or folders of
// them, in which the files of one sample share a name up to the first dot of its
// last part. The image is the member with an image's ending; the label is in a
// .cls member (a number, or a name), or in a .json object under "label", "cls" or
// "class". Without labels at all, it is a flat folder.
package webdataset

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// sample is the members with one key.
type sample struct {
	split        string
	image, label *source.File
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
		if err := samples[i].readClass(); err != nil {
			return nil, err
		}
	}
	var err error
	if c.Classes, err = number(samples); err != nil {
		return nil, err
	}
	for _, split := range []string{source.Train, source.Val, source.Test, source.Whole} {
		var part []sample
		for _, s := range samples {
			if s.split == split {
				part = append(part, s)
			}
		}
		if len(part) > 0 {
			c.Splits = append(c.Splits, newSplit(split, part))
		}
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
			s = &sample{split: splitOf(f.Path)}
			groups[key] = s
			keys = append(keys, key)
		}
		switch {
		case files.IsImage(f.Path) && s.image == nil:
			s.image = f
		case ending == "cls", ending == "json" && s.label == nil:
			s.label = f
		default:
			c.LeftOut.Add(source.NotRead(f.Path), f.Path, 1)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if s := groups[k]; s.image != nil {
			labelled = labelled || s.label != nil
			samples = append(samples, *s)
		}
	}
	return samples, labelled
}

// splitOf tells the split by the beginning of the path: train-0001.tar/…, test/….
func splitOf(name string) string {
	first, _, _ := strings.Cut(name, "/")
	word, _, _ := strings.Cut(strings.ToLower(first), "-")
	word, _, _ = strings.Cut(strings.TrimSuffix(word, ".tar"), "_")
	switch word {
	case "train", "training":
		return source.Train
	case "val", "valid", "validation":
		return source.Val
	case "test", "testing":
		return source.Test
	}
	return source.Whole
}

// maxLabel is longer than any file with a label.
const maxLabel = 1 << 20

func (s *sample) readClass() error {
	if s.label == nil {
		return nil
	}
	r, err := s.label.Reader()
	if err != nil {
		return fault.Usagef("%s: %w", s.label.Path, err)
	}
	defer func() { _ = r.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(r, maxLabel))
	if err != nil {
		return fault.Usagef("%s: %w", s.label.Path, err)
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

// number gives the classes their numbers: those they are, if all are numbers,
// otherwise by the byte order of their names.
func number(samples []sample) ([]string, error) {
	seen, most, numeric := map[string]int32{}, -1, true
	for _, s := range samples {
		if s.class == "" {
			continue
		}
		seen[s.class] = 0
		n, err := strconv.Atoi(s.class)
		numeric = numeric && err == nil && n >= 0
		if most = max(most, n); numeric {
			if err := source.CheckClass(int64(n)); err != nil {
				return nil, fault.Usagef("%s: %w; or give the classes names", s.label.Path, err)
			}
		}
	}
	names := slices.Sorted(maps.Keys(seen))
	if numeric {
		names = nil
		for i := range most + 1 {
			names = append(names, strconv.Itoa(i))
		}
	}
	for i, n := range names {
		seen[n] = int32(i)
	}
	for i := range samples {
		s := &samples[i]
		if s.number = -1; s.class == "" {
			continue
		}
		if n, err := strconv.Atoi(s.class); numeric && err == nil {
			s.number = int32(n)
		} else {
			s.number = seen[s.class]
		}
	}
	return names, nil
}

func newSplit(name string, part []sample) source.Split {
	images := make([]source.Image, len(part))
	for i, p := range part {
		images[i] = source.Image{File: p.image, Label: p.number}
	}
	return source.Images(name, images, true)
}

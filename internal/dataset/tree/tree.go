// Package tree reads images from folders and archives by their place:
//
//	<class>/<image>                 labelled
//	train/<class>/<image>, test/…   labelled, with splits (also val)
//	<class>/train/<image>, …        the same
//	<image>                         unlabelled
//
// Folders that merely wrap all of this are passed over. Folders beside each other
// are splits where their names say so: train and test1, training_set and test_set,
// seg_train/seg_train, train2017 (see splitsAmong). The class is the first folder
// within the split; deeper folders belong to it. Classes are numbered in the byte
// order of their names in the training split, as torchvision's ImageFolder numbers
// them there, and those that only other splits have behind them. A split of which no
// folder is a class of the training split is unlabelled. Images come in the byte
// order of their paths within their split.
//
// Images without class folders get their labels from a table beside them, or inside
// their split's folder, if one names them: train.csv, trainLabels.csv, metadata.csv or
// .jsonl (see labelfile). Tables named after splits divide a set without them, and so
// does a column of splits. Folders that are the same but for a number (images_001) are
// parts and no classes; several sets beside each other are refused.
//
// What is left out is counted by its reason: masks and thumbnails beside images, what lies beside
// the splits, files that are no images. Images that two splits have in common are noted.
package tree

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// entry is one image and its place.
type entry struct {
	file  *source.File
	class string // "" in none
	label int32
}

// part is a split as it is put together.
type part struct {
	entries []entry
	folders []string
	classes []string // sorted
}

// Collect makes a collection of the images in a list of files, sorted by path;
// nil if there are none. name is what errors call the folder or archive.
func Collect(name string, list []source.File, ask source.Columns) (*source.Collection, error) {
	c := &source.Collection{Format: "images"}
	images, others := imagesAmong(list)
	if len(images) == 0 {
		return nil, nil
	}
	images = withoutMasks(c, images)
	l := layoutOf(pathsOf(images))
	if err := l.dropRepeats(c, images); err != nil {
		return nil, err
	}
	if sets := slices.DeleteFunc(l.sets, func(f string) bool { return l.dropped[f] }); len(sets) > 1 {
		return nil, fault.Usagef("%s: several sets lie here, %s and %s; name the folder of one", name, l.prefix+sets[0], l.prefix+sets[1])
	}
	if l.alike != nil && !l.inside && l.parts == nil {
		c.Notes = append(c.Notes, fmt.Sprintf("the folders %s are read as classes, though all hold folders of the same names; where they are splits, call them train and test", listed(l.alike)))
	}
	if l.parts != nil {
		c.Notes = append(c.Notes, fmt.Sprintf("the folders %s are read as parts of one set, not as classes; where they are classes, give them names", listed(l.parts)))
	}
	parts := map[string]*part{}
	for _, f := range images {
		p := l.of(f.Path)
		if !p.ok {
			if first, _, _ := strings.Cut(strings.TrimPrefix(f.Path, l.prefix), "/"); !l.dropped[first] {
				c.LeftOut.Add("images beside the folders of the splits", f.Path, 1)
			}
			continue
		}
		parts[p.split] = parts[p.split].add(p, f)
	}
	for _, f := range others {
		if p := l.of(f.Path); p.ok && p.class != "" && unread(f) && parts[p.split] != nil {
			parts[p.split].name(p.class)
		}
	}
	for _, split := range source.Order() {
		if err := parts[split].checkMixed(name); err != nil {
			return nil, err
		}
	}
	tables, err := newLabeller(c, parts, others, ask)
	if err != nil {
		return nil, err
	}
	tables.divide()
	noteLeaks(c, parts)
	if c.Classes, err = tables.label(number(c, parts)); err != nil {
		return nil, err
	}
	if copies := slices.DeleteFunc(slices.Clone(c.Classes), func(n string) bool { return !isThumbnails(n) }); len(copies) > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%s is read as a class, though its name speaks of smaller copies; where it holds them, move it away", listed(copies)))
	}
	for _, f := range others {
		if !tables.isUsed(f) {
			c.LeftOut.Add(source.NotRead(f.Path), f.Path, 1)
		}
	}
	for _, split := range source.Order() {
		if p := parts[split]; p != nil {
			c.Splits = append(c.Splits, p.split(split))
		}
	}
	return c, nil
}

// imagesAmong divides a list into images and other files. Where no file has an
// image's ending, those without any are looked into.
func imagesAmong(list []source.File) (images, others []*source.File) {
	for i := range list {
		if files.IsImage(list[i].Path) {
			images = append(images, &list[i])
		} else {
			others = append(others, &list[i])
		}
	}
	if len(images) > 0 {
		return images, others
	}
	rest := others
	others = nil
	for _, f := range rest {
		if beginsAsImage(f) {
			images = append(images, f)
		} else {
			others = append(others, f)
		}
	}
	return images, others
}

// headerBytes are enough to tell an image by.
const headerBytes = 1 << 12

func beginsAsImage(f *source.File) bool {
	if !source.HasNoEnding(f.Path) {
		return false
	}
	r, err := f.Reader()
	if err != nil {
		return false
	}
	defer func() { _ = r.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(r, headerBytes))
	return err == nil && pixel.Begins(b)
}

func pathsOf(images []*source.File) []string {
	out := make([]string, len(images))
	for i, f := range images {
		out[i] = f.Path
	}
	return out
}

// unreadEndings are those of images that aren't read: a class of them stays one.
var unreadEndings = strings.Fields(".avif .heic .heif .jxl .jp2 .j2k .svg .ico .psd .tga .pcx .exr .hdr .dds .dcm .nii .raw .cr2 .nef .arw .dng .npy")

func unread(f *source.File) bool {
	low := strings.ToLower(f.Path)
	return beginsAsImage(f) || slices.ContainsFunc(unreadEndings, func(e string) bool { return strings.HasSuffix(low, e) })
}

func (p *part) add(at place, f *source.File) *part {
	if p == nil {
		p = &part{}
	}
	if !slices.Contains(p.folders, at.folder) && at.folder != "" {
		p.folders = append(p.folders, at.folder)
	}
	p.entries = append(p.entries, entry{file: f, class: at.class})
	if at.class != "" {
		p.name(at.class)
	}
	return p
}

// name adds a class.
func (p *part) name(class string) {
	if i, known := slices.BinarySearch(p.classes, class); !known {
		p.classes = slices.Insert(p.classes, i, class)
	}
}

// checkMixed refuses a split where some images have a class and some don't.
func (p *part) checkMixed(name string) error {
	if p == nil {
		return nil
	}
	with := slices.IndexFunc(p.entries, func(e entry) bool { return e.class != "" })
	without := slices.IndexFunc(p.entries, func(e entry) bool { return e.class == "" })
	if with < 0 || without < 0 {
		return nil
	}
	return fault.Usagef("%s: %s lies in a class folder, %s beside them: move it into one, or away", name, p.entries[with].file.Path, p.entries[without].file.Path)
}

// number gives the classes their numbers, and the entries their labels: the classes
// of the first split first, then those that others have besides.
func number(c *source.Collection, parts map[string]*part) []string {
	var names []string
	for _, split := range source.Order() {
		p := parts[split]
		if p == nil || len(p.classes) == 0 {
			continue
		}
		if len(names) > 0 {
			more := slices.DeleteFunc(slices.Clone(p.classes), func(n string) bool { return slices.Contains(names, n) })
			if len(more) == len(p.classes) {
				c.Notes = append(c.Notes, fmt.Sprintf("%s is read without labels: %s is no class of the training images", split, listed(p.classes)))
				p.unlabel()
				continue
			}
			if len(more) > 0 {
				c.Notes = append(c.Notes, fmt.Sprintf("%s has classes that the training images don't have: %s; they are numbered behind the others", split, listed(more)))
			}
			names = append(names, more...)
		} else {
			names = slices.Clone(p.classes)
		}
	}
	numbers := map[string]int32{"": -1}
	for i, n := range names {
		numbers[n] = int32(i)
	}
	for _, p := range parts {
		for i := range p.entries {
			p.entries[i].label = numbers[p.entries[i].class]
		}
	}
	return names
}

func (p *part) unlabel() {
	p.classes = nil
	for i := range p.entries {
		p.entries[i].class = ""
	}
}

// listed are a few names for a sentence.
func listed(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, … (%d)", strings.Join(names[:most], ", "), len(names))
}

func (p *part) split(name string) source.Split {
	images := make([]source.Image, len(p.entries))
	for i, e := range p.entries {
		images[i] = source.Image{File: e.file, Label: e.label}
	}
	s := source.Images(name, images, len(p.classes) > 0)
	s.Folder = strings.Join(p.folders, ", ")
	return s
}

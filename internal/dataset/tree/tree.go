// Package tree reads images from folders and archives by their place:
//
//	<class>/<image>                 labelled
//	train/<class>/<image>, test/…   labelled, with splits (also val)
//	<image>                         unlabelled
//
// Folders that merely wrap all of this are passed over. The class is the first
// folder within the split; deeper folders belong to it. Classes are numbered in
// the byte order of their names over all splits, images in the byte order of
// their paths within their split.
package tree

import (
	"fmt"
	"slices"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// splitNames maps folder names to splits.
var splitNames = map[string]string{
	"train": source.Train, "training": source.Train,
	"val": source.Val, "valid": source.Val, "validation": source.Val,
	"test": source.Test, "testing": source.Test,
}

// entry is one image and its place.
type entry struct {
	file  *source.File
	class string // "" in none
	label int32
}

// Collect makes a collection of the images in a list of files, sorted by path;
// nil if there are none. name is what errors call the folder or archive.
func Collect(name string, list []source.File) (*source.Collection, error) {
	c := &source.Collection{Format: "images"}
	var images []*source.File
	for i := range list {
		if files.IsImage(list[i].Path) {
			images = append(images, &list[i])
		} else {
			c.Ignored++
		}
	}
	if len(images) == 0 {
		return nil, nil
	}
	prefix := wrapping(images)
	splits := divide(c, images, prefix)
	c.Classes = number(splits)
	for _, split := range []string{source.Train, source.Val, source.Test, source.Whole} {
		if len(splits[split]) == 0 {
			continue
		}
		if err := checkMixed(name, splits[split]); err != nil {
			return nil, err
		}
		c.Splits = append(c.Splits, newSplit(split, splits[split]))
	}
	return c, nil
}

// wrapping is the path of the folders that only wrap the data: all images lie
// in them, and below each at least one more folder.
func wrapping(images []*source.File) string {
	prefix := ""
	for {
		first, _, found := strings.Cut(images[0].Path[len(prefix):], "/")
		if !found || splitNames[strings.ToLower(first)] != "" {
			return prefix
		}
		next := prefix + first + "/"
		for _, f := range images {
			if !strings.HasPrefix(f.Path, next) || !strings.Contains(f.Path[len(next):], "/") {
				return prefix
			}
		}
		prefix = next
	}
}

// divide sorts images into splits. Folders named as splits are splits if there
// is nothing else, or if there is a train and another one; what lies beside them
// is then left out, and counted.
func divide(c *source.Collection, images []*source.File, prefix string) map[string][]entry {
	seen, others := map[string]bool{}, 0
	for _, f := range images {
		first, _, found := strings.Cut(f.Path[len(prefix):], "/")
		if split := splitNames[strings.ToLower(first)]; found && split != "" {
			seen[split] = true
		} else {
			others++
		}
	}
	own := len(seen) > 0 && (others == 0 || seen[source.Train] && len(seen) > 1)
	out, beside := map[string][]entry{}, 0
	for _, f := range images {
		rest, split := f.Path[len(prefix):], source.Whole
		if own {
			first, inner, found := strings.Cut(rest, "/")
			if split = splitNames[strings.ToLower(first)]; !found || split == "" {
				beside++
				continue
			}
			rest = inner
		}
		class, _, found := strings.Cut(rest, "/")
		if !found {
			class = ""
		}
		out[split] = append(out[split], entry{file: f, class: class})
	}
	if beside > 0 {
		c.Notes = append(c.Notes, plural(beside, "image", "images")+" beside the folders of the splits left out")
	}
	return out
}

// checkMixed refuses a split where some images have a class and some don't.
func checkMixed(name string, entries []entry) error {
	with := slices.IndexFunc(entries, func(e entry) bool { return e.class != "" })
	without := slices.IndexFunc(entries, func(e entry) bool { return e.class == "" })
	if with < 0 || without < 0 {
		return nil
	}
	return fault.Usagef("%s: %s lies in a class folder, %s beside them: move it into one, or away", name, entries[with].file.Path, entries[without].file.Path)
}

// number gives the classes their numbers, and the entries their labels.
func number(splits map[string][]entry) []string {
	numbers := map[string]int32{}
	var names []string
	for _, entries := range splits {
		for _, e := range entries {
			if _, known := numbers[e.class]; !known && e.class != "" {
				numbers[e.class] = 0
				names = append(names, e.class)
			}
		}
	}
	slices.Sort(names)
	for i, n := range names {
		numbers[n] = int32(i)
	}
	for _, entries := range splits {
		for i := range entries {
			if entries[i].label = -1; entries[i].class != "" {
				entries[i].label = numbers[entries[i].class]
			}
		}
	}
	return names
}

func newSplit(name string, entries []entry) source.Split {
	images := make([]source.Image, len(entries))
	for i, e := range entries {
		images[i] = source.Image{File: e.file, Label: e.label}
	}
	return source.Images(name, images, entries[0].class != "")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

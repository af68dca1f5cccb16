package tree

import (
	"maps"
	"path"
	"slices"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
)

// withoutMasks leaves out masks and thumbnails: images in a folder named so beside one of
// images or of a split, and masks named after the image beside them (img_mask.png).
func withoutMasks(c *source.Collection, images []*source.File) []*source.File {
	beside, stems := besides(images), map[string]bool{}
	for _, f := range images {
		stems[strings.TrimSuffix(f.Path, path.Ext(f.Path))] = true
	}
	var out []*source.File
	for _, f := range images {
		dir, base := path.Split(f.Path)
		of := maskOf(strings.TrimSuffix(base, path.Ext(base)))
		reason := asideIn(dir, beside)
		if reason == "" && of != "" && slices.ContainsFunc(imageEndings, func(e string) bool { return stems[dir+of+e] }) {
			reason = areMasks
		}
		if reason != "" {
			c.LeftOut.Add(reason, f.Path, 1)
			continue
		}
		out = append(out, f)
	}
	if len(out) == 0 {
		return images
	}
	return out
}

// besides are the folders with a folder of images, or of a split, in them; or with one
// that has the same folders as what is named so beside it (leftImg8bit/train, gtFine/train).
func besides(images []*source.File) map[string]bool {
	out := map[string]bool{}
	below := map[string]map[string]map[string]bool{} // parent → folder → the folders in it
	for _, f := range images {
		parts := strings.Split(path.Dir(f.Path), "/")
		for i := range len(parts) - 1 {
			parent := strings.Join(append(parts[:i:i], ""), "/")
			if below[parent] == nil {
				below[parent] = map[string]map[string]bool{}
			}
			if below[parent][parts[i]] == nil {
				below[parent][parts[i]] = map[string]bool{}
			}
			below[parent][parts[i]][parts[i+1]] = true
		}
	}
	for parent, of := range below {
		for m, inside := range of {
			for n, others := range of {
				if aside(m) != "" && aside(n) == "" && !slices.ContainsFunc(slices.Collect(maps.Keys(inside)), func(s string) bool { return !others[s] }) {
					out[parent] = true
				}
			}
		}
	}
	for _, f := range images {
		parent := ""
		for part := range strings.SplitSeq(path.Dir(f.Path), "/") {
			if split, _ := splitname.Of(part); (isGeneric(part) || split != "") && aside(part) == "" {
				out[parent] = true
			}
			parent += part + "/"
		}
	}
	return out
}

// asideIn is why the images of a folder are left out, "" if they aren't.
func asideIn(dir string, beside map[string]bool) string {
	parent := ""
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if reason := aside(part); reason != "" && beside[parent] {
			return reason
		}
		parent += part + "/"
	}
	return ""
}

// The reasons.
const (
	areMasks      = "masks and annotations beside the images"
	areThumbnails = "thumbnails and previews beside the images"
)

// aside is why a folder of this name, beside one of images, is left out; "" if it isn't.
func aside(name string) string {
	switch {
	case isMasks(name):
		return areMasks
	case isThumbnails(name):
		return areThumbnails
	}
	return ""
}

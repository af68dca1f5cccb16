package tree

import (
	"maps"
	"path"
	"slices"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
)

// withoutMasks leaves out masks: images in a folder named so beside one of images or
// of a split, and files named after the image beside them (img_mask.png).
func withoutMasks(c *source.Collection, images []*source.File) []*source.File {
	beside, stems := besides(images), map[string]bool{}
	for _, f := range images {
		stems[strings.TrimSuffix(f.Path, path.Ext(f.Path))] = true
	}
	var out []*source.File
	for _, f := range images {
		dir, base := path.Split(f.Path)
		of := maskOf(strings.TrimSuffix(base, path.Ext(base)))
		if inMasks(dir, beside) || of != "" && slices.ContainsFunc(imageEndings, func(e string) bool { return stems[dir+of+e] }) {
			c.LeftOut.Add("masks and annotations beside the images", f.Path, 1)
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
// that has the same folders as the masks beside it (leftImg8bit/train, gtFine/train).
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
				if isMasks(m) && !isMasks(n) && !slices.ContainsFunc(slices.Collect(maps.Keys(inside)), func(s string) bool { return !others[s] }) {
					out[parent] = true
				}
			}
		}
	}
	for _, f := range images {
		parent := ""
		for part := range strings.SplitSeq(path.Dir(f.Path), "/") {
			if split, _ := splitname.Of(part); (isGeneric(part) || split != "") && !isMasks(part) {
				out[parent] = true
			}
			parent += part + "/"
		}
	}
	return out
}

func inMasks(dir string, beside map[string]bool) bool {
	parent := ""
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if isMasks(part) && beside[parent] {
			return true
		}
		parent += part + "/"
	}
	return false
}

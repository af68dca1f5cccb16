package tree

import (
	"path"
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
		if inMasks(dir, beside) || of != "" && stems[dir+of] {
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

// besides are the folders with a folder of images, or of a split, in them.
func besides(images []*source.File) map[string]bool {
	out := map[string]bool{}
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

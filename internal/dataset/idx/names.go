package idx

import (
	"path"
	"regexp"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
)

// imagesName matches the usual names of files of images.
var imagesName = regexp.MustCompile(`(?i)^(.*[-_.])?images[-_.]idx[34][-_.]ubyte(?:\.gz)?$`)

// labelKind are what the names of labels say otherwise than those of their images.
var labelKind = strings.NewReplacer("labels", "images", "idx1", "idx", "idx2", "idx", "idx3", "idx", "idx4", "idx", "-int", "-ubyte", ".", "-", "_", "-")

// key is the same for the names of images and of their labels.
func key(name string) string {
	return labelKind.Replace(strings.TrimSuffix(strings.ToLower(name), ".gz"))
}

// speaksOf is the split in a file's name, and the rest of it that names the set: emnist
// letters.
func speaksOf(name string) (split, set string) {
	m := imagesName.FindStringSubmatch(path.Base(name))
	if m == nil {
		return source.Whole, name
	}
	if split, set = splitname.Of(strings.ReplaceAll(strings.ToLower(m[1]), "t10k", "test")); split == "" {
		return source.Whole, m[1]
	}
	return split, set
}

// labelsOf is the labels file that goes with a file of images: by its path with the words
// changed, or by its name in the same folder.
func labelsOf(list []source.File, images string) *source.File {
	var beside *source.File
	for i := range list {
		f := &list[i]
		if !strings.Contains(strings.ToLower(path.Base(f.Path)), "label") {
			continue
		}
		switch {
		case key(f.Path) == key(images):
			if !isGzip(f.Path) {
				return f
			}
			beside = f
		case beside == nil && path.Dir(f.Path) == path.Dir(images) && key(path.Base(f.Path)) == key(path.Base(images)):
			beside = f
		}
	}
	return beside
}

package splitname

import (
	"path"
	"strings"
)

// OfPath is the split that the path of a file of data speaks of, "" for none: by its
// name (train-00000-of-00002, mnist_train), or by a folder that is named so.
func OfPath(name string) string {
	base := path.Base(name)
	if split := OfFile(base); split != "" {
		return split
	}
	return OfFolders(path.Dir(name))
}

// OfFile is the split that a file's name speaks of. If its first word is one, what
// follows doesn't count: numbers and checksums may look like words.
func OfFile(base string) string {
	stem, _, _ := strings.Cut(base, ".")
	if words := Words(stem); len(words) > 0 {
		if split, _ := Of(words[0]); split != "" {
			return split
		}
	}
	split, _ := Of(stem)
	return split
}

// OfFolders is the split that the innermost of the folders speaks of whose name says
// nothing else; an archive counts as one.
func OfFolders(dir string) string {
	for ; dir != "." && dir != "/" && dir != ""; dir = path.Dir(dir) {
		base := path.Base(dir)
		if split, rest := Of(base); split != "" && rest == "" {
			return split
		}
		if archive := strings.Contains(base, "."); archive && OfFile(base) != "" {
			return OfFile(base)
		}
		first, _, found := strings.Cut(base, "-")
		if split, _ := Of(first); found && split != "" {
			return split
		}
	}
	return ""
}

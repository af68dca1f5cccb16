package tree

import (
	"fmt"

	"moncae/internal/dataset/source"
)

// Sets with more images, or more bytes in files of one size, aren't looked through for
// images that two splits have.
const (
	mostCompared = 20_000
	mostDigested = 256 << 20
)

// noteLeaks notes images that a split has in common with one before it: what is measured
// on them flatters.
func noteLeaks(c *source.Collection, parts map[string]*part) {
	bySize, total := map[int64]map[string][]*source.File{}, 0
	for split, p := range parts {
		if total += len(p.entries); total > mostCompared {
			return
		}
		for _, e := range p.entries {
			size := e.file.Size
			if size < 0 {
				size = e.file.Occupied()
			}
			if bySize[size] == nil {
				bySize[size] = map[string][]*source.File{}
			}
			bySize[size][split] = append(bySize[size][split], e.file)
		}
	}
	suspects, left := map[*source.File]bool{}, int64(mostDigested)
	for size, of := range bySize {
		for _, list := range of {
			if len(of) < 2 {
				break
			}
			for _, f := range list {
				suspects[f] = true
				left -= size
			}
		}
	}
	if left >= 0 {
		compare(c, parts, suspects)
	}
}

// compare digests the suspects, in the order of the splits.
func compare(c *source.Collection, parts map[string]*part, suspects map[*source.File]bool) {
	type seen struct{ split, path string }
	first := map[string]seen{}
	for _, split := range source.Order() {
		if parts[split] == nil {
			continue
		}
		n, example, of := 0, "", seen{}
		for _, e := range parts[split].entries {
			if !suspects[e.file] {
				continue
			}
			d, err := e.file.Digest()
			if err != nil {
				return // reading the image will say so
			}
			before, known := first[string(d)]
			switch {
			case !known:
				first[string(d)] = seen{split, e.file.Path}
			case before.split != split:
				if n++; n == 1 {
					example, of = e.file.Path, before
				}
			}
		}
		if n > 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("%d of %d images of %s are also in other splits (%s is %s): figures on them flatter", n, len(parts[split].entries), split, example, of.path))
		}
	}
}

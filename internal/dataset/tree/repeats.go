package tree

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"moncae/internal/dataset/source"
)

// dropRepeats leaves out a split's folder that holds the same files as another of
// it, as where a set was packed twice: Train beside train.
func (l *layout) dropRepeats(c *source.Collection, images []*source.File) error {
	if l.splits == nil {
		return l.dropCopy(c, images)
	}
	if l.inside || l.rests != nil {
		return nil
	}
	inside := map[string]map[string]*source.File{}
	for _, f := range images {
		rest, mine := strings.CutPrefix(f.Path, l.prefix)
		first, inner, found := strings.Cut(rest, "/")
		if !mine || !found || l.splits[first] == "" {
			continue
		}
		if inside[first] == nil {
			inside[first] = map[string]*source.File{}
		}
		inside[first][inner] = f
	}
	names := slices.Sorted(maps.Keys(inside))
	for i, a := range names {
		for _, b := range names[i+1:] {
			if l.splits[a] != l.splits[b] || l.dropped[a] || l.dropped[b] || len(inside[a]) != len(inside[b]) {
				continue
			}
			same, err := repeats(inside[a], inside[b])
			if err != nil {
				return err
			}
			if same {
				l.dropped[b] = true
				c.LeftOut.Add("images that are there twice: "+l.prefix+b+" repeats "+l.prefix+a, l.prefix+b+"/"+slices.Min(slices.Collect(maps.Keys(inside[b]))), len(inside[b]))
			}
		}
	}
	return nil
}

// dropCopy leaves out a folder among those of the classes that holds a copy of them.
func (l *layout) dropCopy(c *source.Collection, images []*source.File) error {
	all, inside := map[string]*source.File{}, map[string]map[string]*source.File{}
	for _, f := range images {
		rest := strings.TrimPrefix(f.Path, l.prefix)
		all[rest] = f
		if first, inner, _ := strings.Cut(rest, "/"); strings.Contains(inner, "/") {
			if inside[first] == nil {
				inside[first] = map[string]*source.File{}
			}
			inside[first][inner] = f
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(inside)) {
		same, err := repeats(inside[folder], all)
		if err != nil {
			return err
		}
		if same {
			l.dropped[folder] = true
			c.LeftOut.Add("images that are there twice: "+l.prefix+folder+" repeats the folders beside it", l.prefix+folder+"/"+slices.Min(slices.Collect(maps.Keys(inside[folder]))), len(inside[folder]))
		}
	}
	return nil
}

// repeats tells whether the files of one folder are in another, too.
func repeats(a, b map[string]*source.File) (bool, error) {
	for inner := range a {
		if b[inner] == nil {
			return false, nil
		}
	}
	for inner, f := range a {
		x, err := f.Digest()
		if err != nil {
			return false, err
		}
		y, err := b[inner].Digest()
		if err != nil || !bytes.Equal(x, y) {
			return false, err
		}
	}
	return true, nil
}

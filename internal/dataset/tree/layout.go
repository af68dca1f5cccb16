package tree

import (
	"maps"
	"slices"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
)

// layout says what the folders of a set stand for.
type layout struct {
	prefix  string            // of the folders that only wrap everything
	splits  map[string]string // folder → split; nil: there are none
	within  map[string]string // folder → the folders within it that only wrap its images
	rests   map[string]string // folder → the class that its name has beside the split
	inside  bool              // the folders of the splits lie inside those of the classes
	dropped map[string]bool   // folders that repeat another's images
	parts   []string          // folders that divide the set by number alone
	sets    []string          // folders of which some hold splits of their own
	alike   []string          // folders with the same folders in them, which may be splits or classes
}

// place is where a file belongs.
type place struct {
	split, folder, class string
	ok                   bool // false: beside the splits
}

func layoutOf(paths []string) *layout {
	l := &layout{prefix: wrapping(paths), within: map[string]string{}, dropped: map[string]bool{}}
	top := folders(paths, l.prefix)
	if l.splits = splitsAmong(top); l.splits != nil {
		for folder := range l.splits {
			l.within[folder] = wrappedIn(paths, l.prefix+folder+"/", l.splits[folder])
		}
		l.rests = restsOf(l.splits)
		return l
	}
	if same := haveSameFolders(paths, l.prefix, top); same {
		if l.splits = trainAmong(top); l.splits != nil {
			for folder := range l.splits {
				l.within[folder] = wrappedIn(paths, l.prefix+folder+"/", l.splits[folder])
			}
			return l
		}
		l.alike = top
	}
	if l.splits = splitsInside(paths, l.prefix, top); l.splits != nil {
		l.inside = true
		if haveSameClasses(paths, l.prefix, top, l.splits) {
			l.inside, l.splits, l.sets = false, nil, top
		}
		return l
	}
	if l.sets = setsAmong(paths, l.prefix, top); l.sets == nil && (areParts(top) || areThousands(paths, l.prefix, top)) && !loose(paths, l.prefix) {
		l.parts = top
		return l
	}
	if len(top) == 1 && !slices.ContainsFunc(paths, func(p string) bool { return !strings.HasPrefix(p, l.prefix+top[0]+"/") }) {
		l.prefix += top[0] + "/"
	}
	return l
}

// loose tells whether images lie in no folder below prefix.
func loose(paths []string, prefix string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return !strings.Contains(p[len(prefix):], "/") })
}

// setsAmong are folders beside each other if one of them holds splits, which makes it a
// set of its own; nil otherwise.
func setsAmong(paths []string, prefix string, top []string) []string {
	if len(top) < 2 {
		return nil
	}
	below := map[string][]string{}
	for _, p := range paths {
		if first, inner, found := strings.Cut(p[len(prefix):], "/"); found && strings.Contains(inner, "/") {
			below[first] = append(below[first], inner)
		}
	}
	for _, inner := range below {
		names := folders(inner, wrapping(inner))
		if k := kinds(splitsAmong(names)); len(k) > 1 && k[source.Train] {
			return top
		}
	}
	return nil
}

// folders are the first folders of the paths below prefix, sorted.
func folders(paths []string, prefix string) []string {
	seen := map[string]bool{}
	var out []string
	for _, p := range paths {
		if !strings.HasPrefix(p, prefix) {
			continue
		}
		if first, _, found := strings.Cut(p[len(prefix):], "/"); found && !seen[first] {
			seen[first] = true
			out = append(out, first)
		}
	}
	slices.Sort(out)
	return out
}

// wrapping is the path of the folders that only wrap the data: all images lie
// in them, and below each at least one more folder.
func wrapping(paths []string) string {
	prefix := ""
	for {
		first, _, found := strings.Cut(paths[0][len(prefix):], "/")
		if split, rest := splitname.Of(first); !found || split != "" && rest == "" {
			return prefix
		}
		next := prefix + first + "/"
		for _, p := range paths {
			if !strings.HasPrefix(p, next) || !strings.Contains(p[len(next):], "/") {
				return prefix
			}
		}
		prefix = next
	}
}

// wrappedIn is the path of the folders within a split's folder that only wrap its
// images: of the split's own name (seg_train/seg_train), or of a generic one.
func wrappedIn(paths []string, prefix, split string) string {
	inner := ""
	for {
		in := folders(paths, prefix+inner)
		if len(in) != 1 || slices.ContainsFunc(paths, func(p string) bool {
			rest, mine := strings.CutPrefix(p, prefix+inner)
			return mine && !strings.Contains(rest, "/")
		}) {
			return inner
		}
		if of, _ := splitname.Of(in[0]); of != split && !isGeneric(in[0]) {
			return inner
		}
		inner += in[0] + "/"
	}
}

// splitsAmong tells which of some folders beside each other are splits, nil if they
// aren't: they are if nothing else is there, or if there is one for training and
// another. A name that says more than its split (seg_train, bullet-train) counts if
// it says the same of two splits, or if all are splits and one is plainly for training.
func splitsAmong(names []string) map[string]string {
	plain, all, rests := map[string]string{}, map[string]string{}, map[string]map[string]bool{}
	for _, n := range names {
		split, rest := splitname.Of(n)
		if split == "" {
			continue
		}
		if all[n] = split; rest == "" {
			plain[n] = split
			continue
		}
		if rests[rest] == nil {
			rests[rest] = map[string]bool{}
		}
		rests[rest][split] = true
	}
	if len(plain) > 0 && len(plain) == len(names) {
		return plain
	}
	if k := kinds(plain); len(all) == len(names) && len(k) == 1 && k[source.Train] && len(kinds(all)) > 1 {
		return all
	}
	sure := plain
	for n := range all {
		if _, rest := splitname.Of(n); len(rests[rest]) > 1 {
			sure[n] = all[n]
		}
	}
	if k := kinds(sure); len(k) < 2 || len(sure) < len(names) && !k[source.Train] {
		return nil
	}
	return sure
}

func kinds(splits map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, s := range splits {
		out[s] = true
	}
	return out
}

// splitsInside are the splits that lie in every one of several classes' folders
// (bottle/train, bottle/test), nil if they don't.
func splitsInside(paths []string, prefix string, classes []string) map[string]string {
	if len(classes) == 0 || slices.ContainsFunc(paths, func(p string) bool { return !strings.Contains(p[len(prefix):], "/") }) {
		return nil
	}
	var all map[string]string
	for _, c := range classes {
		found := splitsAmong(folders(paths, prefix+c+"/"))
		if len(kinds(found)) < 2 {
			return nil
		}
		if all == nil {
			all = found
		}
		for n, s := range found {
			all[n] = s
		}
	}
	return all
}

// haveSameFolders tells whether all of several folders have two folders in common, as splits
// have their classes.
func haveSameFolders(paths []string, prefix string, names []string) bool {
	common := map[string]int{}
	for _, n := range names {
		for _, f := range folders(paths, prefix+n+"/") {
			common[f]++
		}
	}
	in := 0
	for _, n := range common {
		if n == len(names) {
			in++
		}
	}
	return len(names) > 1 && in > 1
}

// trainAmong are those of some folders with the same classes that are splits by their names
// (train, beside query and gallery); nil where none is for training.
func trainAmong(names []string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		if split, rest := splitname.Of(n); split != "" && rest == "" {
			out[n] = split
		}
	}
	if !kinds(out)[source.Train] {
		return nil
	}
	return out
}

// haveSameClasses tells whether the training splits in two folders have two folders in common:
// each is a set of its own then (fold_1/train/cat, fold_2/train/cat), and no class.
func haveSameClasses(paths []string, prefix string, tops []string, splits map[string]string) bool {
	seen := map[string]bool{}
	for _, top := range tops {
		common := 0
		var own []string
		for _, name := range slices.Sorted(maps.Keys(splits)) {
			if splits[name] == source.Train {
				own = append(own, folders(paths, prefix+top+"/"+name+"/")...)
			}
		}
		for _, class := range own {
			if seen[class] {
				common++
			}
			seen[class] = true
		}
		if common > 1 {
			return true
		}
	}
	return false
}

// restsOf are the classes in names such as train_cats and test_dogs, nil where the
// names have none.
func restsOf(splits map[string]string) map[string]string {
	rests, several := map[string]string{}, map[string]map[string]bool{}
	for n, s := range splits {
		_, rest := splitname.Of(n)
		if rest == "" {
			return nil
		}
		if rests[n] = rest; several[s] == nil {
			several[s] = map[string]bool{}
		}
		several[s][rest] = true
	}
	for _, r := range several {
		if len(r) > 1 {
			return rests
		}
	}
	return nil
}

// of is the place of a file.
func (l *layout) of(path string) place {
	rest, mine := strings.CutPrefix(path, l.prefix)
	if !mine {
		return place{}
	}
	first, inner, found := strings.Cut(rest, "/")
	switch {
	case l.splits == nil:
		if l.dropped[first] {
			return place{}
		}
		if l.parts != nil {
			first, _, found = strings.Cut(inner, "/")
			found = found && !isGeneric(first)
		}
		if !found {
			first = ""
		}
		return place{split: source.Whole, folder: strings.TrimSuffix(l.prefix, "/"), class: files.Stem(first), ok: true}
	case !found || l.dropped[first]:
		return place{}
	case l.inside:
		folder, _, deeper := strings.Cut(inner, "/")
		split := l.splits[folder]
		return place{split: split, folder: l.prefix + "*/" + folder, class: first, ok: deeper && split != ""}
	}
	p := place{split: l.splits[first], folder: l.prefix + first}
	if p.split == "" {
		return p
	}
	if p.ok = true; l.rests != nil {
		p.class = l.rests[first]
		return p
	}
	if w := l.within[first]; strings.HasPrefix(inner, w) {
		inner = inner[len(w):]
		p.folder = strings.TrimSuffix(l.prefix+first+"/"+w, "/")
	}
	if class, _, deep := strings.Cut(inner, "/"); deep {
		p.class = class
	}
	return p
}

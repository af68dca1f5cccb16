package tree

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"moncae/internal/dataset/labelfile"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/fault"
)

// labeller gives images their labels from tables beside them.
type labeller struct {
	c      *source.Collection
	parts  map[string]*part
	ask    source.Columns
	tables []*table
}

// table is one that may speak of the images.
type table struct {
	*labelfile.Table
	split string // that its name speaks of, "" for none
	rest  string // of its name beside the split: cat in cat_train.txt
	asked bool
	used  bool
}

// newLabeller reads the tables among files, as far as some split needs them. A table
// that isn't asked for and can't be read is left out like any other file.
func newLabeller(c *source.Collection, parts map[string]*part, others []*source.File, ask source.Columns) (*labeller, error) {
	l := &labeller{c: c, parts: parts, ask: ask}
	if ask.LabelFile != "" {
		f := &source.File{Path: ask.LabelFile, Disk: ask.LabelFile}
		for _, o := range others {
			if o.Path == path.Clean(ask.LabelFile) {
				f = o
			}
		}
		t, err := l.read(f)
		if err != nil {
			return nil, err
		}
		t.asked, t.split = true, ""
		l.tables = []*table{t}
		for _, p := range parts {
			p.unlabel()
		}
		return l, nil
	}
	needed := l.needed()
	if !needed && l.parts[source.Whole] == nil {
		return l, nil
	}
	texts := 0
	for _, f := range others {
		if !labelfile.Is(f.Path) || slices.Contains(splitname.Words(path.Base(f.Path)), "submission") {
			continue
		}
		if split, _ := splitname.Of(stem(f)); !needed && split == "" {
			continue // classes are there; only splits are looked for
		}
		isText := anything(f)
		if texts += count(isText); isText && (texts > mostTexts || f.Size > mostText) {
			continue
		}
		t, err := l.read(f)
		switch {
		case err == nil:
			l.tables = append(l.tables, t)
		case !isText: // which may be anything
			c.Notes = append(c.Notes, fault.Text(err))
		}
	}
	return l, nil
}

// mostTexts is how many files .txt and .json are looked into: where there are more, each
// speaks of one image, as YOLO's do. Larger ones than mostText hold more than labels.
const (
	mostTexts = 16
	mostText  = 64 << 20
)

// anything tells of files that may be anything but tables.
func anything(f *source.File) bool {
	return slices.Contains([]string{".txt", ".json"}, strings.ToLower(path.Ext(f.Path)))
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (l *labeller) needed() bool {
	for _, p := range l.parts {
		if len(p.classes) == 0 {
			return true
		}
	}
	return false
}

func (l *labeller) read(f *source.File) (*table, error) {
	var all []entry
	for _, p := range l.parts {
		all = append(all, p.entries...)
	}
	find := finder(all, path.Dir(f.Path))
	t, err := labelfile.Read(f, func(s string) bool { return find(s) >= 0 })
	if err != nil {
		return nil, err
	}
	split, rest := splitname.Of(stem(f))
	return &table{Table: t, split: split, rest: rest}, nil
}

// stem is a file's name without its ending.
func stem(f *source.File) string { return strings.TrimSuffix(path.Base(f.Path), path.Ext(f.Path)) }

// finder finds the entry that a name in a table speaks of: its path from the table's
// folder or the root, its own name, or that with its folder's, each with or without the
// ending. −1: none, or several.
func finder(entries []entry, dir string) func(string) int {
	index := map[string]int{}
	for i, e := range entries {
		p := e.file.Path
		keys := []string{p, path.Base(p), path.Join(path.Base(path.Dir(p)), path.Base(p))}
		if rel, below := strings.CutPrefix(p, dir+"/"); below {
			keys = append(keys, rel)
		}
		for _, k := range keys {
			for _, key := range []string{k, strings.TrimSuffix(k, path.Ext(k))} {
				if at, taken := index[key]; taken && at != i {
					index[key] = -1
				} else {
					index[key] = i
				}
			}
		}
	}
	return func(name string) int {
		if name == "" {
			return -1
		}
		name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
		for _, key := range []string{name, path.Base(name)} {
			if i, known := index[key]; known {
				return i
			}
		}
		return -1
	}
}

// divide makes splits of a set without any, whose tables, such as train.csv and test.csv,
// name different images, or have a column that says the split of each.
func (l *labeller) divide() {
	all := l.parts[source.Whole]
	if all == nil {
		return
	}
	of, by := l.bySplitTables(all)
	if of == nil {
		of, by = l.byColumn(all)
	}
	if of == nil {
		return
	}
	delete(l.parts, source.Whole)
	for i, e := range all.entries {
		split := of[i]
		if split == "" {
			l.c.LeftOut.Add("images that no table gives a split", e.file.Path, 1)
			continue
		}
		p := l.parts[split]
		if p == nil {
			p = &part{folders: all.folders}
			l.parts[split] = p
		}
		p.entries = append(p.entries, e)
		if e.class != "" {
			p.name(e.class)
		}
	}
	l.c.Notes = append(l.c.Notes, "the splits are those of "+by)
}

// bySplitTables are the splits of images by the names of the tables that name them, nil
// where those don't divide the set.
func (l *labeller) bySplitTables(all *part) (of map[int]string, by string) {
	of, kinds := map[int]string{}, map[string]bool{}
	var used []*table
	for _, t := range l.tables {
		if t.split == "" {
			continue
		}
		for i := range t.Named(finder(all.entries, path.Dir(t.Path))) {
			if s, taken := of[i]; taken && s != t.split {
				return nil, ""
			}
			of[i], kinds[t.split] = t.split, true
			if !slices.Contains(used, t) {
				used = append(used, t)
			}
		}
	}
	if len(kinds) < 2 || !kinds[source.Train] {
		return nil, ""
	}
	for _, t := range used {
		t.used = true
	}
	return of, "the tables that name the images"
}

// byColumn are the splits of images by a column of a table.
func (l *labeller) byColumn(all *part) (of map[int]string, by string) {
	for _, t := range l.tables {
		splits, column := t.Splits(finder(all.entries, path.Dir(t.Path)), len(all.entries))
		if splits != nil {
			t.used = true
			return splits, fmt.Sprintf("%s, by its column %s", t.Path, column)
		}
	}
	return nil, ""
}

// label gives the splits without labels those of the tables; names are the classes
// that folders gave. The result is the names of all.
func (l *labeller) label(names []string) ([]string, error) {
	var lists [][]string
	for _, split := range source.Order() {
		p := l.parts[split]
		if p == nil || len(p.classes) > 0 {
			continue
		}
		for at, t := range l.tables {
			found, err := l.match(t, split, names)
			if err != nil {
				return nil, err
			}
			if found != nil && l.contradicted(t, l.tables[at+1:], split, found, names) {
				break
			}
			if found != nil && l.apply(t, p, split, found, names) {
				lists = append(lists, classesOf(p))
				break
			}
		}
	}
	if len(lists) == 0 {
		return names, l.checkAsked()
	}
	all, numbers := source.Classes(names, lists...)
	for _, p := range l.parts {
		for i := range p.entries {
			p.entries[i].label = numbers[p.entries[i].class]
		}
	}
	return all, nil
}

// checkAsked refuses a table that was asked for and says nothing.
func (l *labeller) checkAsked() error {
	if l.ask.LabelFile == "" {
		return nil
	}
	return fault.Usagef("--label-file %s: none of its columns (%s) names the images; name it with --image-column", l.ask.LabelFile, source.Few(l.tables[0].Columns))
}

// match is what a table says of a split's images, nil if nothing.
func (l *labeller) match(t *table, split string, known []string) (*labelfile.Labels, error) {
	p, dir := l.parts[split], path.Dir(t.Path)
	if !l.meant(t, split) {
		return nil, nil
	}
	found, err := t.Match(finder(p.entries, dir), len(p.entries), l.ask, known)
	var undecided labelfile.Undecided
	switch {
	case err == nil:
		return found, nil
	case t.asked || !errors.As(err, &undecided) || l.ask.Label != "":
		return nil, fault.Usagef("%s: %w", t.Path, err)
	}
	l.c.Notes = append(l.c.Notes, fmt.Sprintf("%s gives no labels: %v", t.Path, err))
	return nil, nil
}

// contradicted tells whether another table gives a split's images other labels than t does,
// and notes it: which of them is right, nobody here can know.
func (l *labeller) contradicted(t *table, others []*table, split string, found *labelfile.Labels, known []string) bool {
	p := l.parts[split]
	for _, o := range others {
		if !l.meant(o, split) {
			continue
		}
		other, err := o.Match(finder(p.entries, path.Dir(o.Path)), len(p.entries), l.ask, known)
		if err != nil || other == nil {
			continue // it gives no labels, whatever the reason
		}
		if n := found.Differ(other); n > 0 {
			l.c.Notes = append(l.c.Notes, fmt.Sprintf("no labels are given to %s: %s (column %s) and %s (column %s) contradict each other for %d of %d images; --label-file chooses one",
				splitWord(split), t.Path, found.Column, o.Path, other.Column, n, len(p.entries)))
			return true
		}
	}
	return false
}

// meant tells whether a table may speak of a split: it lies in its folder, is named
// after it, or is named after none and can't be mistaken.
func (l *labeller) meant(t *table, split string) bool {
	dir := path.Dir(t.Path)
	for other, p := range l.parts {
		for _, f := range p.folders {
			if dir == f || strings.HasPrefix(dir, f+"/") {
				return other == split
			}
		}
	}
	switch {
	case split == source.Whole:
		return t.split == "" || t.split == source.Train
	case t.split != "":
		return t.split == split
	}
	return split == source.Train || !l.mistakable(t)
}

// mistakable tells whether two splits have images that the table could mean alike.
func (l *labeller) mistakable(t *table) bool {
	seen := map[string]string{}
	for split, p := range l.parts {
		for i := range t.Named(finder(p.entries, path.Dir(t.Path))) {
			base := path.Base(p.entries[i].file.Path)
			if other, taken := seen[base]; taken && other != split {
				return true
			}
			seen[base] = split
		}
	}
	return false
}

// apply gives a split's images the labels that were found, unless none of them is a
// class of the training images.
func (l *labeller) apply(t *table, p *part, split string, found *labelfile.Labels, names []string) bool {
	none, known := 0, names == nil
	for i := range p.entries {
		p.entries[i].class = found.Of[i]
		if found.Of[i] == "" {
			none++
		}
		known = known || slices.Contains(names, found.Of[i])
	}
	p.classes = classesOf(p)
	if !known || len(p.classes) == 0 {
		l.c.Notes = append(l.c.Notes, fmt.Sprintf("%s gives no labels: its column %s (%s) has no class of the training images", t.Path, found.Column, listed(p.classes)))
		p.unlabel()
		return false
	}
	t.used = true
	note := fmt.Sprintf("the labels of %s are those of %s, column %s, by its column %s", splitWord(split), t.Path, found.Column, found.Image)
	if none > 0 {
		note += fmt.Sprintf("; %d images have none", none)
	}
	if found.Unknown > 0 {
		note += fmt.Sprintf("; %d of its rows name no image", found.Unknown)
	}
	l.c.Notes = append(l.c.Notes, note)
	if t.tellsPresence(p.classes) {
		l.c.Notes = append(l.c.Notes, fmt.Sprintf("%s is read as a list of Pascal VOC: class 1 are the images with %s, -1 those without, 0 (where there is one) the difficult ones", t.Path, t.rest))
	}
	return true
}

// tellsPresence tells of a table of one class (cat_train.txt), of which its rows say 1, −1 or 0.
func (t *table) tellsPresence(classes []string) bool {
	return t.rest != "" && slices.Contains(classes, "-1") && slices.Contains(classes, "1") &&
		!slices.ContainsFunc(classes, func(c string) bool { return !slices.Contains([]string{"-1", "0", "1"}, c) })
}

func splitWord(split string) string {
	if split == source.Whole {
		return "the images"
	}
	return split
}

// classesOf are the words of a split's labels, sorted.
func classesOf(p *part) []string {
	var out []string
	for _, e := range p.entries {
		if e.class != "" {
			out = append(out, e.class)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// isUsed tells whether a file is a table that gave labels.
func (l *labeller) isUsed(f *source.File) bool {
	return slices.ContainsFunc(l.tables, func(t *table) bool { return t.used && t.Path == f.Path })
}

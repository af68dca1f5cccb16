package labelfile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
)

// labelNames are the usual names of columns of labels, without what is no letter or
// digit, best first.
var labelNames = strings.Fields("label labels class classes target targets category dx classid classname labelname labelid categoryid diagnosis breed species level emotion digit y")

// fileNames are those of columns of images' names.
var fileNames = strings.Fields("filename file image imagename imageid imagepath path filepath filepaths img name id idcode fname")

// Undecided says that a table names the images, and why it gives no labels.
type Undecided struct{ Reason string }

func (u Undecided) Error() string { return u.Reason }

// Labels are what a table says of images.
type Labels struct {
	Of            map[int]string // image → label
	Image, Column string         // the columns that were used
	Unknown       int            // rows that name no image
}

// Match finds the labels of images: find is the number of the image that a name
// speaks of, −1 for none; known are classes that other images have. It is nil where the
// table doesn't name half of count images, unless a column is asked for.
func (t *Table) Match(find func(string) int, count int, ask source.Columns, known []string) (*Labels, error) {
	at, err := t.nameColumn(find, count, ask.Image)
	if err != nil || at < 0 {
		return nil, err
	}
	l := &Labels{Of: map[int]string{}, Image: t.Columns[at]}
	pick, column, err := t.labelOf(at, ask.Label, known)
	if err != nil {
		return nil, err
	}
	l.Column = column
	for _, row := range t.Rows {
		i := find(row[at])
		if i < 0 {
			l.Unknown++
			continue
		}
		label := pick(row)
		if before, twice := l.Of[i]; twice && before != label {
			return nil, Undecided{fmt.Sprintf("it has several labels for %s (%s, %s): one an image is needed", row[at], before, label)}
		}
		l.Of[i] = label
	}
	return l, nil
}

// Differ counts the images to which other gives another label; where it only calls the same
// classes by other names, none.
func (l *Labels) Differ(other *Labels) int {
	differ := 0
	to, from := map[string]string{}, map[string]string{}
	renamed := true
	for i, a := range l.Of {
		b := other.Of[i]
		if a == "" || b == "" {
			continue
		}
		if a != b {
			differ++
		}
		if to[a] == "" && from[b] == "" {
			to[a], from[b] = b, a
		}
		renamed = renamed && to[a] == b && from[b] == a
	}
	if renamed {
		return 0
	}
	return differ
}

// nameColumn is the column that names the images, −1 for none. It is one that names half of
// them; where several do, such as a column of digits beside 0.png and 1.png, the best of them.
func (t *Table) nameColumn(find func(string) int, count int, asked string) (int, error) {
	if asked != "" {
		return t.column(asked)
	}
	best, at := naming{}, -1
	for c := range t.Columns {
		n := t.naming(c, find)
		if n.images == 0 || 2*n.images < count || n.label && n.repeats {
			continue
		}
		if at < 0 || n.better(best) {
			best, at = n, c
		}
	}
	return at, nil
}

// naming is how well a column names images.
type naming struct {
	label   bool // it has the name of a column of labels
	repeats bool // several rows name the same image
	whole   bool // every row names another image
	rank    int  // of its name
	images  int  // that it names
}

func (t *Table) naming(c int, find func(string) int) naming {
	named, rows := map[int]bool{}, 0
	for _, row := range t.Rows {
		if i := find(row[c]); i >= 0 {
			named[i] = true
			rows++
		}
	}
	return naming{
		label: rank(labelNames, t.Columns[c]) < len(labelNames), repeats: len(named) < rows,
		whole: len(named) == len(t.Rows), rank: rank(fileNames, t.Columns[c]), images: len(named),
	}
}

func (n naming) better(than naming) bool {
	switch {
	case n.label != than.label:
		return than.label
	case n.whole != than.whole:
		return n.whole
	case n.rank != than.rank:
		return n.rank < than.rank
	case n.repeats != than.repeats:
		return than.repeats
	}
	return n.images > than.images
}

func (t *Table) column(name string) (int, error) {
	c := slices.Index(t.Columns, name)
	if c < 0 {
		return 0, Undecided{fmt.Sprintf("it has no column %q; there are %s", name, source.Few(t.Columns))}
	}
	return c, nil
}

func rank(names []string, column string) int {
	if i := slices.Index(names, plain(column)); i >= 0 {
		return i
	}
	return len(names)
}

func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// labelOf tells how a row's label is found, and what to call where it stands.
func (t *Table) labelOf(name int, asked string, known []string) (pick func([]string) string, column string, err error) {
	c := -1
	if asked != "" {
		if c, err = t.column(asked); err != nil {
			return nil, "", err
		}
	} else {
		for i := range t.Columns {
			if r := rank(labelNames, t.Columns[i]); i != name && r < len(labelNames) && (c < 0 || r < rank(labelNames, t.Columns[c])) {
				c = i
			}
		}
	}
	if c < 0 {
		c = t.ofClasses(name, known)
	}
	if others := t.others(name); c < 0 && len(others) == 1 && t.isLabels(others[0]) {
		c = others[0]
	} else if c < 0 && len(others) == 0 {
		return nil, "", Undecided{"it has no column but the images' names"}
	} else if c < 0 && t.oneHot(others) {
		return func(row []string) string {
			for _, o := range others {
				if isOne(row[o]) {
					return t.Columns[o]
				}
			}
			return ""
		}, t.Columns[others[0]] + " to " + t.Columns[others[len(others)-1]], nil
	}
	if c < 0 {
		return nil, "", Undecided{fmt.Sprintf("which of its columns is the label? There are %s: name it with --label-column", source.Few(t.Columns))}
	}
	if v := t.fraction(c); v != "" {
		return nil, "", Undecided{fmt.Sprintf("column %s holds %s: labels are classes, not measures", t.Columns[c], v)}
	}
	return func(row []string) string {
		if slices.Contains(known, row[c]) {
			return row[c]
		}
		return source.Known(row[c])
	}, t.Columns[c], nil
}

// ofClasses is the one column of which every value is a known class, −1 for none.
func (t *Table) ofClasses(name int, known []string) int {
	is, found := map[string]bool{}, -1
	for _, k := range known {
		is[k] = true
	}
	for _, c := range t.others(name) {
		if len(known) == 0 || slices.ContainsFunc(t.Rows, func(row []string) bool { return !is[row[c]] }) {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = c
	}
	return found
}

func (t *Table) others(name int) []int {
	var out []int
	for i := range t.Columns {
		if i != name && t.Columns[i] != "" { // pandas writes its index without a name
			out = append(out, i)
		}
	}
	return out
}

// splitNames are columns that divide the images instead of naming their classes.
var splitNames = strings.Fields("partition split set subset usage fold phase dataset datasplit")

// Splits are the splits of the images that a table names, by a column of them; nil where
// it has none, or names fewer than half of count images. Numbers in a column partition
// are CelebA's: 0 for training, 1 for validation, 2 for tests.
func (t *Table) Splits(find func(string) int, count int) (of map[int]string, column string) {
	at, err := t.nameColumn(find, count, "")
	if err != nil || at < 0 {
		return nil, ""
	}
	for c, name := range t.Columns {
		if c == at || !slices.Contains(splitNames, plain(name)) {
			continue
		}
		of, kinds := map[int]string{}, map[string]bool{}
		for _, row := range t.Rows {
			split := splitOf(name, row[c])
			if split == "" {
				kinds = nil
				break
			}
			if i := find(row[at]); i >= 0 {
				of[i], kinds[split] = split, true
			}
		}
		if len(kinds) > 1 && kinds[source.Train] {
			return of, name
		}
	}
	return nil, ""
}

func splitOf(column, word string) string {
	if celebA := map[string]string{"0": source.Train, "1": source.Val, "2": source.Test}; plain(column) == "partition" && celebA[word] != "" {
		return celebA[word]
	}
	split, _ := splitname.Of(word)
	return split
}

// isLabels tells whether a column's values repeat, as those of labels do and those of
// captions don't.
func (t *Table) isLabels(c int) bool {
	if slices.Contains(splitNames, plain(t.Columns[c])) {
		return false
	}
	seen, spaces := map[string]bool{}, false
	for _, row := range t.Rows {
		seen[row[c]] = true
		spaces = spaces || strings.Contains(row[c], " ")
	}
	return len(seen) < len(t.Rows) && !spaces || 2*len(seen) <= len(t.Rows)
}

// fraction is the first value of a column that is a number, but not a whole one.
func (t *Table) fraction(c int) string {
	for _, row := range t.Rows {
		head, tail, found := strings.Cut(row[c], ".")
		if found && head != "" && strings.Trim(head, "+-0123456789") == "" && strings.Trim(tail, "0123456789") == "" && strings.Trim(tail, "0") != "" {
			return row[c]
		}
	}
	return ""
}

func isOne(s string) bool { return s == "1" || s == "1.0" }

// oneHot tells whether columns are classes, of which each row has one.
func (t *Table) oneHot(columns []int) bool {
	if len(columns) < 2 || len(t.Rows) == 0 {
		return false
	}
	for _, row := range t.Rows {
		ones := 0
		for _, c := range columns {
			switch {
			case isOne(row[c]):
				ones++
			case row[c] != "0" && row[c] != "0.0":
				return false
			}
		}
		if ones != 1 {
			return false
		}
	}
	return true
}

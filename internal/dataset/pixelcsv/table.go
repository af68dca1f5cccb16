package pixelcsv

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"moncae/internal/arch"
	"moncae/internal/dataset/labelfile"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/fault"
)

// table is one file and how its columns are laid out.
type table struct {
	file    *source.File
	line    int64 // about the bytes of a row
	split   string
	comma   rune
	header  []string // nil: there is none
	columns int
	pixels  []int // the columns of values; one where text
	text    bool  // all values stand in one column
	label   int   // −1: none
	usage   int   // the column that divides the rows, −1: none
	either  bool  // the label is in the first column or in the last: scan decides
	side    int
	unit    bool // values are fractions of 1
	labels  []string
	uses    []string // of rows, where usage ≥ 0
	notes   []string
}

// leastText is how many values in one column are an image.
const leastText = 64

func (t *table) shape() arch.Shape { return arch.Shape{C: 1, H: t.side, W: t.side} }

// lines are the rows of a file.
type lines struct {
	*csv.Reader
	io.Closer
}

func (t *table) open() (*lines, error) {
	f, err := t.file.Reader()
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	b := bufio.NewReaderSize(f, 1<<18)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // they are there
	}
	if t.comma == 0 {
		start, _ := b.Peek(1 << 16)                               // as much as there is
		if t.comma = labelfile.Separator(start); t.comma == ' ' { // all values of an image in one column
			t.comma = ','
		}
	}
	r := csv.NewReader(b)
	r.Comma, r.ReuseRecord, r.TrimLeadingSpace = t.comma, true, true
	return &lines{r, f}, nil
}

// openTable looks at the first two rows of a file; nil where its rows are no images.
func openTable(f *source.File, ask source.Columns) (*table, error) {
	t := &table{file: f, label: -1, usage: -1}
	r, err := t.open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // only read
	first, err := r.Read()
	if err != nil {
		return nil, nil // empty, or no CSV at all
	}
	first = slices.Clone(first)
	second, err := r.Read()
	if err != nil {
		second = nil
	}
	values := first
	if slices.ContainsFunc(first, func(s string) bool { return !isNumber(s) && !isPixels(s) }) {
		t.header, values = first, second
	}
	if t.columns = max(len(first), len(values)); values == nil {
		if t.findColumns(first) {
			return nil, fault.Usagef("%s: has a header, and no rows", f.Path)
		}
		return nil, nil
	}
	for _, v := range values {
		t.line += int64(len(v)) + 1
	}
	if !t.findText(values) && !t.findColumns(values) {
		return nil, nil
	}
	return t, t.follow(ask)
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return err == nil
}

// isPixels tells whether a field holds a whole image.
func isPixels(s string) bool {
	return strings.Count(strings.TrimSpace(s), " ")+1 >= leastText
}

// findText finds the one column that holds images whole.
func (t *table) findText(values []string) bool {
	at := slices.IndexFunc(values, isPixels)
	if at < 0 {
		return false
	}
	t.text, t.pixels, t.side = true, []int{at}, source.Square(int64(len(strings.Fields(values[at]))))
	t.name(at)
	if t.label < 0 && t.header == nil && len(values) == 2 {
		t.label = 1 - at
	}
	return t.side > 0
}

// labelNames and usageNames are the names of columns beside the pixels, in lower case.
var (
	labelNames = strings.Fields("label labels class classes target emotion letter digit character y species")
	usageNames = strings.Fields("usage split set subset")
)

// name finds the label and the usage by the header's names.
func (t *table) name(pixels int) {
	for i, h := range t.header {
		switch h := strings.ToLower(strings.TrimSpace(h)); {
		case i == pixels:
		case slices.Contains(usageNames, h):
			t.usage = i
		case slices.Contains(labelNames, h):
			t.label = i
		}
	}
}

// findColumns finds the columns of values.
func (t *table) findColumns(values []string) bool {
	n := len(values)
	if t.header == nil {
		t.pixels = count(0, n)
		if t.side = source.Square(int64(n)); t.side > 0 {
			return true
		}
		t.side, t.either = source.Square(int64(n-1)), true
		return t.side > 0
	}
	t.name(-1)
	var rest []int
	for i, h := range t.header {
		if source.IsPixelName(h) && i != t.label && i != t.usage {
			t.pixels = append(t.pixels, i)
		} else if i != t.usage {
			rest = append(rest, i)
		}
	}
	if t.label < 0 && len(rest) == 1 && strings.TrimSpace(t.header[rest[0]]) != "" {
		t.label = rest[0]
	}
	t.side = source.Square(int64(len(t.pixels)))
	return t.side > 0
}

func count(from, to int) []int {
	out := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// follow takes the label from the column that was asked for.
func (t *table) follow(ask source.Columns) error {
	if ask.Label == "" {
		return nil
	}
	at := slices.Index(t.header, ask.Label)
	if n, found := strings.CutPrefix(ask.Label, "column"); found && t.header == nil {
		if i, err := strconv.Atoi(n); err == nil && i >= 1 && i <= t.columns {
			at = i - 1
		}
	}
	if at < 0 {
		names := source.Few(t.header)
		if t.header == nil {
			names = fmt.Sprintf("column1 to column%d", t.columns)
		}
		return fault.Usagef("%s: there is no column %q; there are %s", t.file.Path, ask.Label, names)
	}
	if t.label, t.either = at, false; !t.text {
		t.pixels = slices.DeleteFunc(t.pixels, func(i int) bool { return i == at })
		t.side = source.Square(int64(len(t.pixels)))
	}
	if t.side == 0 {
		return fault.Usagef("%s: beside the column %s there are %d values, which make no square image", t.file.Path, ask.Label, len(t.pixels))
	}
	return nil
}

// scan reads the whole file once, for its rows, labels and range of values.
func (t *table) scan() error {
	r, err := t.open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // only read
	var firsts, lasts []string
	largest, fractions := 0.0, false
	for row := 0; ; row++ {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := r.FieldPos(0)
			return fault.Usagef("%s: line %d has %d fields, the first has %d", t.file.Path, line, len(fields), t.columns)
		}
		if err != nil {
			return fault.Usagef("%s: %w", t.file.Path, err)
		}
		if row == 0 && t.header != nil {
			continue
		}
		if t.either {
			firsts, lasts = append(firsts, strings.Clone(fields[0])), append(lasts, strings.Clone(fields[len(fields)-1]))
		}
		if t.label >= 0 {
			t.labels = append(t.labels, source.Known(strings.Clone(strings.TrimSpace(fields[t.label]))))
		} else {
			t.labels = append(t.labels, "")
		}
		if t.usage >= 0 {
			t.uses = append(t.uses, strings.Clone(strings.TrimSpace(fields[t.usage])))
		}
		if err := t.each(fields, func(_ int, v float64) bool {
			largest, fractions = max(largest, v), fractions || v != math.Trunc(v)
			return v >= 0 && v <= 255
		}); err != nil {
			line, _ := r.FieldPos(0)
			return fault.Usagef("%s: line %d: %w", t.file.Path, line, err)
		}
	}
	if fractions && largest > 1 {
		return fault.Usagef("%s: has values with fractions up to %v; whole numbers from 0 to 255, or fractions from 0 to 1, are read", t.file.Path, largest)
	}
	if t.unit = fractions; len(t.labels) == 0 {
		return fault.Usagef("%s: has no rows", t.file.Path)
	}
	return t.decide(firsts, lasts)
}

// decide tells whether the first or the last column holds the labels: the other one is
// a corner of the images, which is the same in all of them.
func (t *table) decide(firsts, lasts []string) error {
	if !t.either {
		return nil
	}
	constant := func(s []string) bool { return len(slices.Compact(slices.Clone(s))) == 1 }
	switch first, last := constant(firsts), constant(lasts); {
	case last && !first:
		t.label, t.labels, t.pixels = 0, firsts, count(1, t.columns)
	case first && !last:
		t.label, t.labels, t.pixels = t.columns-1, lasts, count(0, t.columns-1)
	default:
		return fault.Usagef("%s: is the label in its first column or in its last? Say --label-column column1 or --label-column column%d", t.file.Path, t.columns)
	}
	t.either = false
	t.notes = append(t.notes, fmt.Sprintf("%s has no header: the labels are taken from column %d, for the one at the other end is the same in every row", t.file.Path, t.label+1))
	return nil
}

// each calls f for the values of a row, which may refuse one.
func (t *table) each(fields []string, f func(i int, v float64) bool) error {
	if t.text {
		fields = strings.Fields(fields[t.pixels[0]])
		if len(fields) != t.side*t.side {
			return fmt.Errorf("%d values, the first image has %d", len(fields), t.side*t.side)
		}
	}
	for i := range t.side * t.side {
		at := i
		if !t.text {
			at = t.pixels[i]
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(fields[at]), 64)
		if err != nil || !f(i, v) {
			return fmt.Errorf("value %d is %.20q; whole numbers from 0 to 255, or fractions from 0 to 1, are read", i+1, fields[at])
		}
	}
	return nil
}

// fraction is the first label that is a number, but no whole one.
func (t *table) fraction() string {
	for _, l := range t.labels {
		if v, err := strconv.ParseFloat(l, 64); err == nil && v != math.Trunc(v) {
			return l
		}
	}
	return ""
}

// splitOfRow is the split of a row. Of two tests, a public one stands for validation.
func (t *table) splitOfRow(row int) string {
	if t.usage < 0 {
		return t.split
	}
	split, rest := splitname.Of(t.uses[row])
	switch {
	case split == "":
		return t.split
	case split == source.Test && rest == "public":
		return source.Val
	}
	return split
}

// splits are those that the table's rows belong to.
func (t *table) splits() []string {
	seen := map[string]bool{}
	for row := range t.labels {
		seen[t.splitOfRow(row)] = true
	}
	return slices.DeleteFunc(slices.Clone(source.Order()), func(s string) bool { return !seen[s] })
}

// words are the labels of a split's rows.
func (t *table) words(split string) []string {
	var out []string
	for row, l := range t.labels {
		if t.splitOfRow(row) == split {
			out = append(out, l)
		}
	}
	return out
}

func (t *table) count(split string) int { return len(t.words(split)) }

// Package labelfile reads tables that lie beside images and name them: CSV (also
// with semicolons, tabs, bars or spaces between), JSON, JSON lines and Parquet. It finds the column of the
// names by what matches images, and the column of the labels by its name.
//
// A label is a word; "" where a row has none. What can't be decided is an Undecided
// that says which columns there are: nothing is guessed.
//
// Costs: a table lies in memory as text; larger ones than maxTable are refused.
package labelfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"moncae/internal/dataset/columnar"
	"moncae/internal/dataset/magic"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// maxTable is the size of the largest table that is read, in bytes.
const maxTable = 256 << 20

// Is tells by its ending whether a file is a table.
func Is(name string) bool {
	return slices.Contains([]string{".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet"}, strings.ToLower(path.Ext(name)))
}

// Table is a table of text.
type Table struct {
	Path    string
	Columns []string
	Rows    [][]string // each as long as Columns
}

// Read reads a table. The first line of a CSV names the columns, unless isName knows
// one of its cells, as the name of an image.
func Read(f *source.File, isName func(string) bool) (*Table, error) {
	if strings.EqualFold(path.Ext(f.Path), ".parquet") {
		columns, rows, err := columnar.Text(f, maxTable)
		return &Table{f.Path, columns, rows}, err
	}
	r, err := f.Reader()
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	defer func() { _ = r.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(r, maxTable+1))
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	if len(b) > maxTable {
		return nil, fault.Usagef("%s: has more than %d bytes; a table of labels is smaller", f.Path, maxTable)
	}
	if k := magic.Of(b); k != nil && !k.Fits(f.Path) {
		return nil, fault.Usagef("%s: is %s; %s", f.Path, k.What, k.Fix)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	t := &Table{Path: f.Path}
	switch strings.ToLower(path.Ext(f.Path)) {
	case ".jsonl":
		err = t.readJSON(b)
	case ".json":
		err = t.readDocument(b, isName)
	default:
		err = t.readCSV(b, isName)
	}
	if err != nil {
		return nil, fault.Usagef("%s: %w", f.Path, err)
	}
	return t, nil
}

func (t *Table) readCSV(b []byte, isName func(string) bool) error {
	if !utf8.Valid(b) {
		return errors.New("it is not UTF-8")
	}
	sep := Separator(b)
	if sep == ' ' {
		return t.readWords(b, isName)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.TrimLeadingSpace = sep, true, -1, true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		line, _ := r.FieldPos(0)
		if err := t.add(line, row, isName); err != nil {
			return err
		}
	}
	return nil
}

// add adds a line; the first one names the columns, unless it names an image.
func (t *Table) add(line int, row []string, isName func(string) bool) error {
	if t.Columns == nil {
		if !slices.ContainsFunc(row, isName) {
			t.Columns = row
			return nil
		}
		for i := range row {
			t.Columns = append(t.Columns, fmt.Sprintf("column%d", i+1))
		}
	}
	if len(row) != len(t.Columns) {
		return fmt.Errorf("line %d has %d fields, the first has %d", line, len(row), len(t.Columns))
	}
	t.Rows = append(t.Rows, row)
	return nil
}

// readWords reads lines of words with spaces between; those that begin with # are remarks.
func (t *Table) readWords(b []byte, isName func(string) bool) error {
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		row := strings.Fields(line)
		if len(row) == 0 || strings.HasPrefix(row[0], "#") {
			continue
		}
		if err := t.add(n, row, isName); err != nil {
			return err
		}
	}
	return nil
}

// Separator is what stands between the fields of a CSV's first line: a space where there
// is nothing else.
func Separator(b []byte) rune {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	best, most := ',', 0
	for _, c := range ",;\t|" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	if most == 0 && bytes.ContainsRune(bytes.TrimSpace(line), ' ') {
		return ' '
	}
	return best
}

func (t *Table) readJSON(b []byte) error {
	var objects []map[string]any
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, maxTable)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var o map[string]any
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if err := d.Decode(&o); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		objects = append(objects, o)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	t.ofObjects(objects)
	return nil
}

// ofObjects has a column for each key.
func (t *Table) ofObjects(objects []map[string]any) {
	keys := map[string]bool{}
	for _, o := range objects {
		for k := range o {
			keys[k] = true
		}
	}
	t.Columns = slices.Sorted(maps.Keys(keys))
	for _, o := range objects {
		row := make([]string, len(t.Columns))
		for i, k := range t.Columns {
			row[i] = word(o[k])
		}
		t.Rows = append(t.Rows, row)
	}
}

// word is a JSON value that can stand in a table, "" for any other.
func word(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number, bool:
		return fmt.Sprint(v)
	}
	return ""
}

// Named are the images that a table speaks of; see Match.
func (t *Table) Named(find func(string) int) map[int]bool {
	out := map[int]bool{}
	at, err := t.nameColumn(find, 1, "")
	if err != nil || at < 0 {
		return out
	}
	for _, row := range t.Rows {
		if i := find(row[at]); i >= 0 {
			out[i] = true
		}
	}
	return out
}

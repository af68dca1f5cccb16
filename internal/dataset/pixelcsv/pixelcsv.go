// Package pixelcsv reads CSV files whose rows are images: a value a column, with the
// label in the first or the last column or in none (Kaggle's MNIST and its relatives),
// or all values in one column with spaces between (FER2013), where a column Usage
// divides the rows into splits.
//
// Images are grey and square, of 8×8 at least; values are whole numbers from 0 to 255,
// or fractions from 0 to 1, which are rounded to v/255. Files are named after splits,
// or are all there is. What can't be told is refused: nothing is guessed.
//
// Costs: a file is read once when it is opened, for its rows and labels, and once for
// its pixels; memory is that of the labels.
package pixelcsv

import (
	"bytes"
	"cmp"
	"path"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/fault"
)

// Collect makes a collection of the CSV files of pixels among list, nil if there are
// none, or where half as many files of images are there as a table has rows.
func Collect(name string, list []source.File, ask source.Columns) (*source.Collection, error) {
	c := &source.Collection{Format: "csv"}
	var tables []*table
	pictures, most := 0, int64(0)
	for _, f := range list {
		if files.IsImage(f.Path) {
			pictures++
		}
	}
	for i := range list {
		f := &list[i]
		var t *table
		if ext := strings.ToLower(path.Ext(f.Path)); ext == ".csv" || ext == ".tsv" {
			var err error
			if t, err = openTable(f, ask); err != nil && pictures == 0 {
				return nil, err
			}
		}
		if t == nil {
			c.LeftOut.Add(source.NotRead(f.Path), f.Path, 1)
			continue
		}
		if t.split = source.Whole; f.Path != name { // one of a folder's
			t.split = cmp.Or(splitname.OfPath(f.Path), source.Whole)
		}
		most = max(most, f.Size/t.line)
		if twin, err := isTwin(tables, t); err != nil {
			return nil, err
		} else if twin {
			c.LeftOut.Add("files that are there twice", f.Path, 1)
			continue
		}
		tables = append(tables, t)
	}
	if len(tables) == 0 || pictures > 0 && int64(2*pictures) >= most {
		return nil, nil
	}
	return c, collect(c, tables)
}

// isTwin tells whether a table is the same as one before it.
func isTwin(tables []*table, t *table) (bool, error) {
	for _, o := range tables {
		if o.split != t.split || o.file.Size != t.file.Size {
			continue
		}
		a, err := o.file.Digest()
		if err != nil {
			return false, err
		}
		if b, err := t.file.Digest(); err != nil || bytes.Equal(a, b) {
			return true, err
		}
	}
	return false, nil
}

func collect(c *source.Collection, tables []*table) error {
	parts := map[string]*table{}
	for _, t := range tables {
		if err := t.scan(); err != nil {
			return err
		}
		if c.Raw != nil && c.Raw.Shape != t.shape() {
			return fault.Usagef("%s: images of %v, %s has %v; all need the same", t.file.Path, t.shape(), tables[0].file.Path, c.Raw.Shape)
		}
		c.Raw = &source.Raw{Shape: t.shape(), Planar: true}
		c.Notes = append(c.Notes, t.notes...)
		for _, split := range t.splits() {
			if other := parts[split]; other != nil {
				return fault.Usagef("%s and %s both hold images of the split %s; name the file of one", other.file.Path, t.file.Path, split)
			}
			parts[split] = t
		}
	}
	for _, t := range tables {
		if v := t.fraction(); v != "" {
			c.LeftOut.Add("a column of labels that gives no classes: "+v+" is a measure", t.file.Path, 1)
			t.label = -1
			t.labels = make([]string, len(t.labels))
		}
	}
	var lists [][]string
	for _, split := range source.Order() {
		if t := parts[split]; t != nil {
			lists = append(lists, t.words(split))
		}
	}
	var numbers map[string]int32
	c.Classes, numbers = source.Classes(nil, lists...)
	for _, split := range source.Order() {
		if t := parts[split]; t != nil {
			c.Splits = append(c.Splits, t.part(split, numbers))
		}
	}
	return nil
}

// part is one split of a table.
func (t *table) part(split string, numbers map[string]int32) source.Split {
	s := source.Split{Name: split, Rows: int64(t.count(split)), Bytes: source.Occupied(t.file)}
	labels := make([]int32, 0, s.Rows)
	for _, w := range t.words(split) {
		labels = append(labels, numbers[w])
	}
	if t.label >= 0 {
		s.Labels = func() ([]int32, error) { return labels, nil }
	}
	s.Open = func() (source.Stream, error) { return t.stream(split, labels) }
	return s
}

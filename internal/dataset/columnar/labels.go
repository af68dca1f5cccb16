package columnar

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// labels are those of one split: numbers, or indices into words until all splits
// have been seen.
type labels struct {
	found   bool
	rows    int64
	numbers []int32
	words   map[string]int32
}

// distinct are the strings that occur.
func (l *labels) distinct() []string { return slices.Collect(maps.Keys(l.words)) }

// toNumbers replaces indices into the split's own words by indices into all.
func (l *labels) toNumbers(all []string) {
	to := make([]int32, len(l.words))
	for word, i := range l.words {
		n, _ := slices.BinarySearch(all, word)
		to[i] = int32(n)
	}
	for i, n := range l.numbers {
		if n >= 0 {
			l.numbers[i] = to[n]
		}
	}
}

// readLabels adds the labels of a file to l, and returns the file's schema.
func readLabels(f *source.File, l *labels) (_ *arrow.Schema, err error) {
	defer rescue(f.Path, &err)
	t, err := open(f, true)
	if err != nil {
		return nil, err
	}
	defer func() { _ = t.close() }() // only read
	c, err := findColumns(f.Path, t.schema())
	if err != nil {
		return nil, err
	}
	if rows := t.rows(); c.label == "" && rows >= 0 {
		l.rows += rows
		return t.schema(), nil
	}
	l.pad()
	before := l.rows
	for {
		record, err := next(f.Path, t)
		if err == io.EOF { //nolint:errorlint // the end itself
			return t.schema(), announced(f.Path, t, l.rows-before)
		}
		if err != nil {
			return nil, err
		}
		l.rows += record.NumRows()
		if c.label == "" {
			continue
		}
		l.found = true
		a, err := column(record, c.label)
		if err == nil {
			err = l.add(a)
		}
		if err != nil {
			return nil, fault.Usagef("%s: column %s: %w", f.Path, c.label, err)
		}
	}
}

// pad gives the rows of files without a label column no label.
func (l *labels) pad() {
	l.numbers = append(l.numbers, slices.Repeat([]int32{-1}, int(l.rows)-len(l.numbers))...)
}

// add appends the labels of an array; null is −1.
func (l *labels) add(a arrow.Array) error {
	for i := range a.Len() {
		if a.IsNull(i) {
			l.numbers = append(l.numbers, -1)
			continue
		}
		n, word, isWord := valueAt(a, i)
		if isWord {
			n = int64(l.index(word))
		}
		if err := source.CheckClass(n); n != -1 && err != nil {
			return fmt.Errorf("row %d: %w", len(l.numbers), err)
		}
		l.numbers = append(l.numbers, int32(n))
	}
	return nil
}

func (l *labels) index(word string) int32 {
	if l.words == nil {
		l.words = map[string]int32{}
	}
	n, known := l.words[word]
	if !known {
		n = int32(len(l.words))
		l.words[word] = n
	}
	return n
}

// valueAt is a label: a number, or a word.
func valueAt(a arrow.Array, i int) (n int64, word string, isWord bool) {
	switch a := a.(type) {
	case *array.Int8:
		return int64(a.Value(i)), "", false
	case *array.Int16:
		return int64(a.Value(i)), "", false
	case *array.Int32:
		return int64(a.Value(i)), "", false
	case *array.Int64:
		return a.Value(i), "", false
	case *array.Uint8:
		return int64(a.Value(i)), "", false
	case *array.Uint16:
		return int64(a.Value(i)), "", false
	case *array.Uint32:
		return int64(a.Value(i)), "", false
	case *array.Uint64:
		return int64(a.Value(i)), "", false
	case array.StringLike:
		return 0, a.Value(i), true
	case *array.Dictionary:
		return valueAt(a.Dictionary(), a.GetValueIndex(i))
	}
	panic("columnar: a label column of the type " + a.DataType().String())
}

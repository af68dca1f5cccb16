package columnar

import (
	"fmt"
	"io"
	"maps"
	"math"
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
	unfit   string // why the column gives no labels, "" where it does
}

// distinct are the strings that occur.
func (l *labels) distinct() []string { return slices.Collect(maps.Keys(l.words)) }

// toNumbers replaces indices into the split's own words by the numbers of classes.
func (l *labels) toNumbers(classes map[string]int32) {
	to := make([]int32, len(l.words))
	for word, i := range l.words {
		to[i] = classes[word]
	}
	for i, n := range l.numbers {
		if n >= 0 {
			l.numbers[i] = to[n]
		}
	}
}

// readLabels adds the labels of a file to l.
func readLabels(f *source.File, c *columns, l *labels) (err error) {
	defer rescue(f.Path, &err)
	t, err := open(f, func(*arrow.Schema) ([]string, error) { return c.names(true), nil })
	if err != nil {
		return err
	}
	defer func() { _ = t.close() }() // only read
	if rows := t.rows(); c.label == "" && rows >= 0 {
		l.rows += rows
		return nil
	}
	l.pad()
	before := l.rows
	for {
		record, err := next(f.Path, t)
		if err == io.EOF { //nolint:errorlint // the end itself
			return announced(f.Path, t, l.rows-before)
		}
		if err != nil {
			return err
		}
		l.rows += record.NumRows()
		if c.label == "" || l.unfit != "" {
			continue
		}
		l.found = true
		a, err := column(record, c.label)
		if err == nil {
			err = l.add(a)
		}
		if err != nil {
			return fault.Usagef("%s: column %s: %w", f.Path, c.label, err)
		}
	}
}

// pad gives the rows of files without a label column no label.
func (l *labels) pad() {
	l.numbers = append(l.numbers, slices.Repeat([]int32{-1}, int(l.rows)-len(l.numbers))...)
}

// add appends the labels of an array; null and −1 are none.
func (l *labels) add(a arrow.Array) error {
	for i := range a.Len() {
		if a.IsNull(i) {
			l.numbers = append(l.numbers, -1)
			continue
		}
		n, word, isWord := valueAt(a, i)
		if isWord {
			n = float64(l.index(word))
		}
		if math.IsNaN(n) {
			n = -1
		}
		if n != math.Trunc(n) {
			l.unfit = fmt.Sprintf("%v is a measure", n)
			return nil
		}
		if err := source.CheckClass(int64(n)); n != -1 && err != nil {
			return fmt.Errorf("row %d: %w; --label-column names another", len(l.numbers), err)
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
func valueAt(a arrow.Array, i int) (n float64, word string, isWord bool) {
	switch a := a.(type) {
	case array.StringLike:
		return 0, a.Value(i), true
	case *array.Boolean: // as Python prints it
		if a.Value(i) {
			return 0, "True", true
		}
		return 0, "False", true
	case *array.Dictionary:
		return valueAt(a.Dictionary(), a.GetValueIndex(i))
	}
	return numberAt(a, i), "", false
}

// integerAt is a value of an array of integers that int64 can hold.
func integerAt(a arrow.Array, i int) int64 {
	switch a := a.(type) {
	case *array.Int8:
		return int64(a.Value(i))
	case *array.Int16:
		return int64(a.Value(i))
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Uint8:
		return int64(a.Value(i))
	case *array.Uint16:
		return int64(a.Value(i))
	case *array.Uint32:
		return int64(a.Value(i))
	}
	panic("a column of the type " + a.DataType().String() + " where numbers are needed")
}

package columnar

import (
	"io"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// Text reads a whole table as words: its columns of numbers, bools and strings; null is "".
// More than most bytes of words are refused.
func Text(f *source.File, most int) (columns []string, rows [][]string, err error) {
	defer rescue(f.Path, &err)
	if f.Disk == "" {
		return nil, nil, fault.Usagef("%s can't be read inside an archive; unpack it and name the folder", f.Path)
	}
	t, err := open(f, func(schema *arrow.Schema) ([]string, error) {
		for _, field := range schema.Fields() {
			if isLabel(field.Type) {
				columns = append(columns, field.Name)
			}
		}
		return columns, nil
	})
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = t.close() }() // only read
	for {
		record, err := next(f.Path, t)
		if err == io.EOF { //nolint:errorlint // the end itself
			return columns, rows, announced(f.Path, t, int64(len(rows)))
		}
		if err != nil {
			return nil, nil, err
		}
		batch := make([][]string, record.NumRows())
		for i := range batch {
			batch[i] = make([]string, len(columns))
		}
		for k, name := range columns {
			a, err := column(record, name)
			if err != nil {
				return nil, nil, fault.Usagef("%s: %w", f.Path, err)
			}
			for i := range batch {
				if a.IsValid(i) {
					batch[i][k] = wordAt(a, i)
					most -= len(batch[i][k])
				}
			}
		}
		if rows = append(rows, batch...); most < 0 {
			return nil, nil, fault.Usagef("%s: is too large for a table of labels", f.Path)
		}
	}
}

// wordAt is a value as Python prints it.
func wordAt(a arrow.Array, i int) string {
	if d, ok := a.(*array.Dictionary); ok {
		return wordAt(d.Dictionary(), d.GetValueIndex(i))
	}
	n, word, isWord := valueAt(a, i)
	if isWord {
		return word
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

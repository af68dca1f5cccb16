// Package columnar reads images from Parquet and Arrow (IPC file and stream, also
// Feather 2): one file, or a folder of shards whose names or folders begin with
// train, test or validation.
//
// The image column is a struct with a binary field "bytes" (and maybe "path"), as
// Hugging Face writes it; binary; or fixed-shape tensors of uint8. The label
// column is integers, strings or a dictionary of strings. Names of classes are
// taken from Hugging Face's schema metadata.
//
// Record batches are read one at a time, so memory is that of a batch. The label
// columns are read once when the set is opened.
package columnar

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// IsFile tells by its ending whether a file can be read here.
func IsFile(name string) bool {
	return slices.Contains([]string{".parquet", ".arrow", ".arrows", ".feather", ".ipc"}, strings.ToLower(path.Ext(name)))
}

// shards are the files of one split, in order, with their labels.
type shards struct {
	name   string
	files  []*source.File
	labels labels
}

// Collect makes a collection of the Parquet and Arrow files among list, nil
// without them.
func Collect(name string, list []source.File, ask source.Columns) (*source.Collection, error) {
	var parts []shards
	for i := range list {
		f := &list[i]
		if !IsFile(f.Path) {
			continue
		}
		if f.Disk == "" {
			return nil, fault.Usagef("%s: %s can't be read inside an archive; unpack it and name the folder", name, f.Path)
		}
		split := source.Whole
		if f.Path != name { // one of a folder's, not a file that was named itself
			split = splitOf(f.Path)
		}
		k := slices.IndexFunc(parts, func(s shards) bool { return s.name == split })
		if k < 0 {
			parts = append(parts, shards{name: split})
			k = len(parts) - 1
		}
		parts[k].files = append(parts[k].files, f)
	}
	if len(parts) == 0 {
		return nil, nil
	}
	order := []string{source.Train, source.Val, source.Test, source.Whole}
	slices.SortFunc(parts, func(a, b shards) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
	return collect(parts)
}

// splitOf tells the split by the first words of the file and of its folders.
func splitOf(name string) string {
	for part := range strings.SplitSeq(strings.ToLower(name), "/") {
		words := strings.FieldsFunc(part, func(r rune) bool { return r == '-' || r == '_' || r == '.' })
		switch strings.Join(words[:min(len(words), 1)], "") {
		case "train", "training":
			return source.Train
		case "val", "valid", "validation":
			return source.Val
		case "test", "testing":
			return source.Test
		}
	}
	return source.Whole
}

func collect(parts []shards) (*source.Collection, error) {
	c := &source.Collection{Format: "arrow"}
	if strings.EqualFold(path.Ext(parts[0].files[0].Path), ".parquet") {
		c.Format = "parquet"
	}
	var names []string
	for i := range parts {
		p := &parts[i]
		for _, f := range p.files {
			schema, err := readLabels(f, &p.labels)
			if err != nil {
				return nil, err
			}
			columns, err := findColumns(f.Path, schema)
			if err != nil {
				return nil, err
			}
			if c.Raw != nil && (columns.raw == nil || *c.Raw != *columns.raw) {
				return nil, fault.Usagef("%s: its images are laid out differently than those of other files of the set", f.Path)
			}
			c.Raw = columns.raw
			if names == nil {
				names = columns.classes
			}
		}
	}
	var err error
	if c.Classes, err = number(parts, names); err != nil {
		return nil, err
	}
	for _, p := range parts {
		c.Splits = append(c.Splits, p.split())
	}
	return c, nil
}

func (p shards) split() source.Split {
	s := source.Split{Name: p.name, Rows: p.labels.rows, Bytes: source.Occupied(p.files...)}
	var numbers []int32
	if p.labels.found {
		p.labels.pad()
		numbers = p.labels.numbers
		s.Labels = func() ([]int32, error) { return numbers, nil }
	}
	s.Open = func() (source.Stream, error) { return &stream{files: p.files, labels: numbers}, nil }
	return s
}

// number turns labels into class numbers: strings by the byte order of all of
// them, integers as they are.
func number(parts []shards, names []string) ([]string, error) {
	var words []string
	most := int32(-1)
	for _, p := range parts {
		words = append(words, p.labels.distinct()...)
		for _, n := range p.labels.numbers {
			most = max(most, n)
		}
	}
	if len(words) > 0 {
		slices.Sort(words)
		words = slices.Compact(words)
		for i := range parts {
			parts[i].labels.toNumbers(words)
		}
		return words, nil
	}
	if len(names) > int(most) {
		return names, nil
	}
	if len(names) > 0 {
		return nil, fault.Usagef("%s: a label is %d, and the metadata names %d classes", parts[0].files[0].Path, most, len(names))
	}
	for i := range most + 1 {
		names = append(names, strconv.Itoa(int(i)))
	}
	return names, nil
}

// stream reads the image column of shard after shard.
type stream struct {
	files  []*source.File
	labels []int32
	table  table
	columns
	images imageReader
	in     int   // row within the batch
	row    int64 // row within the split
	begun  int64 // the row that the file began with
}

func (s *stream) Next(it *source.Item) error {
	for s.images == nil || s.in == s.images.len() {
		if err := s.advance(); err != nil {
			return err
		}
	}
	it.Label, it.Path, it.File = -1, "", nil
	if s.labels != nil {
		it.Label = s.labels[s.row]
	}
	err := s.read(it)
	it.Bytes = int64(len(it.Data))
	if err != nil {
		err = &source.Bad{Err: fault.Usagef("%s: row %d: %w", s.files[0].Path, s.row, err)}
	}
	s.in++
	s.row++
	return err
}

// read reads the row that the stream is at.
func (s *stream) read(it *source.Item) (err error) {
	defer rescue(s.files[0].Path, &err)
	return s.images.read(it, s.in)
}

// advance goes on to the next batch, which may lie in the next file.
func (s *stream) advance() error {
	s.images = nil
	for {
		if len(s.files) == 0 {
			return io.EOF
		}
		if s.table == nil {
			t, err := open(s.files[0], false)
			if err != nil {
				return err
			}
			s.table = t
			if s.columns, err = findColumns(s.files[0].Path, t.schema()); err != nil {
				return err
			}
		}
		record, err := next(s.files[0].Path, s.table)
		if err == io.EOF { //nolint:errorlint // the end itself
			if err := errors.Join(announced(s.files[0].Path, s.table, s.row-s.begun), s.Close()); err != nil {
				return err
			}
			s.files, s.begun = s.files[1:], s.row
			continue
		}
		if err != nil {
			return err
		}
		s.in = 0
		s.images, err = newImageReader(s.files[0].Path, record, s.columns)
		return err
	}
}

func (s *stream) Close() error {
	if s.table == nil {
		return nil
	}
	err := s.table.close()
	s.table = nil
	return err
}

// column is the record's column of that name.
func column(record arrow.Record, name string) (arrow.Array, error) {
	i := record.Schema().FieldIndices(name)
	if len(i) != 1 {
		return nil, fmt.Errorf("there are %d columns %q", len(i), name)
	}
	a := record.Column(i[0])
	if int64(a.Len()) != record.NumRows() { // a damaged file: arrow believes both
		return nil, fmt.Errorf("column %s has %d rows of %d", name, a.Len(), record.NumRows())
	}
	return a, nil
}

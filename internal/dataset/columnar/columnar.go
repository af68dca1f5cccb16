// Package columnar reads images from Parquet and Arrow (IPC file and stream, also
// Feather 2): one file, or a folder of shards whose names or folders speak of splits.
//
// The image column is a struct with a binary field "bytes" (and maybe "path", which is
// followed below the file's folder where the bytes are null), as Hugging Face writes it;
// binary; or numbers: tensors of a fixed shape, nested lists, flat lists of a grey
// square, or a column a pixel. The label column is whole numbers of any type, bool,
// strings or a dictionary. Names of classes are taken from Hugging Face's schema
// metadata. Columns that aren't read are counted.
//
// Record batches are read one at a time, so memory is that of a batch. The label
// columns are read once when the set is opened.
package columnar

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/pixel"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/splitname"
	"moncae/internal/fault"
)

// IsFile tells by its ending whether a file can be read here.
func IsFile(name string) bool {
	return slices.Contains([]string{".parquet", ".arrow", ".arrows", ".feather", ".ipc"}, strings.ToLower(path.Ext(name)))
}

// shards are the files of one split, in order, with their labels.
type shards struct {
	name   string
	files  []*shard
	labels labels
}

// shard is a file and its columns.
type shard struct {
	*source.File
	*columns
}

// Collect makes a collection of the Parquet and Arrow files among list, nil without
// them, or where files of images are there and no table holds any.
func Collect(name string, list []source.File, ask source.Columns) (*source.Collection, error) {
	c := &source.Collection{Format: "arrow"}
	var parts []shards
	var known []*source.File
	var without *emptyError // the first table without images
	for i := range list {
		f := &list[i]
		if !IsFile(f.Path) {
			continue
		}
		known = append(known, f)
		if base := path.Base(f.Path); strings.HasPrefix(base, "cache-") && strings.HasSuffix(base, ".arrow") {
			c.LeftOut.Add("caches of Hugging Face's datasets", f.Path, 1)
			continue
		}
		s, err := columnsOf(f, ask)
		var empty *emptyError
		switch {
		case errors.As(err, &empty):
			c.LeftOut.Add("tables without images", f.Path, 1)
			without = cmp.Or(without, empty)
			continue
		case err != nil:
			return nil, err
		}
		split := source.Whole
		if of := splitname.OfPath(f.Path); of != "" && f.Path != name { // one of a folder's, not a file that was named itself
			split = of
		}
		k := slices.IndexFunc(parts, func(s shards) bool { return s.name == split })
		if k < 0 {
			parts = append(parts, shards{name: split})
			k = len(parts) - 1
		}
		parts[k].files = append(parts[k].files, s)
	}
	if len(parts) == 0 && without != nil && !slices.ContainsFunc(list, func(f source.File) bool { return files.IsImage(f.Path) || files.IsArchive(f.Path) }) {
		return nil, without
	}
	if len(parts) == 0 {
		return nil, nil
	}
	if err := checkSets(parts); err != nil {
		return nil, err
	}
	slices.SortFunc(parts, func(a, b shards) int {
		return slices.Index(source.Order(), a.name) - slices.Index(source.Order(), b.name)
	})
	c.LeftOut.Others(list, known...)
	return c, collect(c, parts)
}

// emptyError is the fault of a table without images.
type emptyError struct{ error }

func (e *emptyError) Unwrap() error { return e.error }

// columnsOf finds the columns of a file.
func columnsOf(f *source.File, ask source.Columns) (*shard, error) {
	if f.Disk == "" {
		return nil, fault.Usagef("%s can't be read inside an archive; unpack it and name the folder", f.Path)
	}
	var c *columns
	t, err := open(f, func(schema *arrow.Schema) (names []string, err error) {
		if c, err = findColumns(f.Path, schema, ask); err != nil {
			return nil, err
		}
		if c == nil {
			return nil, &emptyError{noImages(f.Path, schema)}
		}
		return c.names(false), nil
	})
	if err != nil {
		return nil, err
	}
	return &shard{f, c}, t.close()
}

// checkSets refuses several sets beside each other, such as a folder for each of several
// versions: read as one, they would be mixed. Folders like year=2020 divide one set.
func checkSets(parts []shards) error {
	for _, p := range parts {
		first := setOf(p.files[0].Path)
		for _, f := range p.files[1:] {
			if set := setOf(f.Path); set != first {
				return fault.Usagef("several sets lie here, %s and %s, and both have images for %s; name the folder of one", first, set, splitOrImages(p.name))
			}
		}
	}
	return nil
}

func splitOrImages(split string) string {
	if split == source.Whole {
		return "no split"
	}
	return "the split " + split
}

// setOf is the folder of a file without those of splits and partitions.
func setOf(name string) string {
	var out []string
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		if split := splitname.OfFolders(part); split == "" && !strings.Contains(part, "=") {
			out = append(out, part)
		}
	}
	return path.Join(append([]string{"."}, out...)...)
}

func collect(c *source.Collection, parts []shards) error {
	if strings.EqualFold(path.Ext(parts[0].files[0].Path), ".parquet") {
		c.Format = "parquet"
	}
	d := &decoder{span: new(pixel.Span)}
	for i := range parts {
		p := &parts[i]
		for _, f := range p.files {
			if err := d.join(c, f); err != nil {
				return err
			}
			if err := readLabels(f.File, f.columns, &p.labels); err != nil {
				return err
			}
		}
	}
	leaveOthers(c, parts)
	var err error
	if c.Classes, err = number(parts, d.columns.classes); err != nil {
		return err
	}
	for _, p := range parts {
		c.Splits = append(c.Splits, p.split(*d))
	}
	c.LeaveUnsplit(parts[len(parts)-1].files[0].Path)
	return nil
}

// join settles how a file's images are laid out, and holds that against the others.
func (d *decoder) join(c *source.Collection, f *shard) error {
	first := d.columns == nil
	if first {
		d.columns = f.columns
	}
	if d.numbers != f.numbers {
		return fault.Usagef("%s: its images are laid out differently than those of other files of the set", f.Path)
	}
	if !d.numbers {
		return nil
	}
	raw, sides, fractions, err := rawOf(f)
	if err != nil {
		return err
	}
	if !first && *c.Raw != *raw {
		return fault.Usagef("%s: its images are %v, those of other files %v; all need the same", f.Path, raw.Shape, c.Raw.Shape)
	}
	c.Raw, d.raw, d.sides = raw, raw, sides
	if c.Stretch = d.span.Set; fractions {
		c.Full = 1
	}
	if first && len(sides) == 1 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d values an image are read as a grey one of %d×%d", sides[0], raw.Shape.H, raw.Shape.W))
	}
	return nil
}

// rawOf is the layout of the images of numbers in a file, by its schema or its first row.
func rawOf(f *shard) (raw *source.Raw, sides []int64, fractions bool, err error) {
	defer rescue(f.Path, &err)
	t, err := open(f.File, func(*arrow.Schema) ([]string, error) { return f.names(false), nil })
	if err != nil {
		return nil, nil, false, err
	}
	defer func() { _ = t.close() }() // only read
	record, err := next(f.Path, t)
	switch {
	case err == io.EOF: //nolint:errorlint // the end itself
		return nil, nil, false, fault.Usagef("%s: has no rows", f.Path)
	case err != nil:
		return nil, nil, false, err
	}
	if f.image == "" {
		a, err := column(record, f.wide[0])
		if err != nil {
			return nil, nil, false, fault.Usagef("%s: %w", f.Path, err)
		}
		sides, fractions = []int64{int64(len(f.wide))}, isFraction(a.DataType())
	} else {
		a, err := column(record, f.image)
		var values arrow.Array
		if err == nil {
			values, _, _, sides, err = unfold(a, firstValid(a))
		}
		if err != nil {
			return nil, nil, false, fault.Usagef("%s: column %s: the first image %w", f.Path, f.image, err)
		}
		fractions = isFraction(values.DataType())
	}
	if f.sides != nil {
		sides = f.sides
	}
	if raw = layout(sides); raw == nil || raw.Shape.Values() > maxValues || raw.Shape.Values() < 1 {
		return nil, nil, false, fault.Usagef("%s: column %s: an image is %v numbers; H×W, H×W×C or C×H×W with C 1 or 3 are read, and flat lists of a grey square", f.Path, f.image, sides)
	}
	return raw, sides, fractions, nil
}

func firstValid(a arrow.Array) int {
	for i := range a.Len() {
		if a.IsValid(i) {
			return i
		}
	}
	return 0
}

func layout(sides []int64) *source.Raw {
	if len(sides) == 1 {
		side := int64(source.Square(sides[0]))
		if side == 0 {
			return nil
		}
		sides = []int64{side, side}
	}
	for _, s := range sides {
		if s < 1 || s > maxValues {
			return nil
		}
	}
	return source.RawOf(sides)
}

// leaveOthers counts the columns that aren't read, and a label column that gives none.
func leaveOthers(c *source.Collection, parts []shards) {
	seen := map[string]bool{}
	for _, p := range parts {
		for _, f := range p.files {
			for _, name := range f.others {
				if !seen[name] {
					c.LeftOut.Add("columns that are not the image and not its label", name, 1)
				}
				seen[name] = true
			}
			if p.labels.unfit != "" && !seen[f.label] {
				c.LeftOut.Add("a column of labels that gives no classes: "+p.labels.unfit, f.label, 1)
				seen[f.label] = true
			}
		}
	}
}

func (p shards) split(d decoder) source.Split {
	var all []*source.File
	for _, f := range p.files {
		all = append(all, f.File)
	}
	s := source.Split{Name: p.name, Rows: p.labels.rows, Bytes: source.Occupied(all...)}
	var numbers []int32
	if p.labels.found {
		p.labels.pad()
		numbers = p.labels.numbers
		s.Labels = func() ([]int32, error) { return numbers, nil }
	}
	s.Open = func() (source.Stream, error) { return &stream{files: p.files, labels: numbers, decoder: d}, nil }
	return s
}

// number turns labels into class numbers: words as source.Classes does, numbers as they
// are.
func number(parts []shards, names []string) ([]string, error) {
	var lists [][]string
	most := int32(-1)
	for i := range parts {
		l := &parts[i].labels
		if l.unfit != "" {
			*l = labels{rows: l.rows}
		}
		if words := l.distinct(); len(words) > 0 {
			lists = append(lists, words)
			continue
		}
		for _, n := range l.numbers {
			most = max(most, n)
		}
	}
	if len(lists) > 0 {
		classes, numbers := source.Classes(nil, lists...)
		for i := range parts {
			parts[i].labels.toNumbers(numbers)
		}
		return classes, nil
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
	files  []*shard
	labels []int32
	table  table
	decoder
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
			f := s.files[0]
			t, err := open(f.File, func(*arrow.Schema) ([]string, error) { return f.names(false), nil })
			if err != nil {
				return err
			}
			s.table, s.columns, s.dir = t, f.columns, filepath.Dir(f.Disk)
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
		s.images, err = s.reader(s.files[0].Path, record)
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

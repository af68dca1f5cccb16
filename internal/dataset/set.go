package dataset

import (
	"context"
	"errors"
	"io"
	"slices"

	"moncae/internal/arch"
	"moncae/internal/fault"
)

// Set is one split in memory, decoded: uint8, NCHW.
type Set struct {
	Name    string
	Shape   arch.Shape
	Classes []string // nil: unlabelled
	Images  []uint8  // N·C·H·W
	Labels  []int32  // N, −1 for an image without one; nil: unlabelled
	Paths   []string // N, the source files within the data set; nil where there are none
	IDs     []int64  // N, ids within the split; nil: the row's number is its id
	Splits  []string // N, where several were read as one; otherwise nil
	Skipped []Skipped
	Info    Info
}

// Rows is the number of images.
func (s *Set) Rows() int { return len(s.Images) / s.Shape.Values() }

// ID is the id of a row: its position in its split, before bad images were skipped.
func (s *Set) ID(row int) int64 {
	if s.IDs == nil {
		return int64(row)
	}
	return s.IDs[row]
}

// Split is the split of a row, "" where all are of one.
func (s *Set) Split(row int) string {
	if s.Splits == nil {
		return ""
	}
	return s.Splits[row]
}

// Image is the CHW bytes of a row, not a copy.
func (s *Set) Image(row int) []uint8 {
	n := s.Shape.Values()
	return s.Images[row*n : (row+1)*n : (row+1)*n]
}

// Labelled is s without the images that have no label; all of s where none has one.
func (s *Set) Labelled() *Set {
	if s.Labels == nil || !slices.Contains(s.Labels, -1) {
		return s
	}
	some := *s
	some.Images, some.Labels, some.Paths, some.IDs, some.Splits = nil, nil, nil, []int64{}, nil
	for row, label := range s.Labels {
		if label < 0 {
			continue
		}
		some.Images, some.Labels, some.IDs = append(some.Images, s.Image(row)...), append(some.Labels, label), append(some.IDs, s.ID(row))
		if s.Paths != nil {
			some.Paths = append(some.Paths, s.Paths[row])
		}
		if s.Splits != nil {
			some.Splits = append(some.Splits, s.Splits[row])
		}
	}
	return &some
}

func (s *Set) label(row int) int32 {
	if s.Labels == nil {
		return -1
	}
	return s.Labels[row]
}

// trusted is how much memory is taken on a source's word for its number of rows.
const trusted = 256 << 20

// Load reads a whole split into memory; see Open.
func Load(ctx context.Context, nameOrPath string, o Options) (*Set, error) {
	src, err := Open(ctx, nameOrPath, o)
	if err != nil {
		return nil, err
	}
	s, err := gather(src)
	return s, errors.Join(err, src.Close())
}

func gather(src Source) (*Set, error) {
	info := src.Info()
	s := &Set{Name: info.Name, Shape: info.Shape, Classes: info.Classes}
	if bytes := info.Rows * int64(info.Shape.Values()); bytes > 0 {
		s.Images = make([]uint8, 0, min(bytes, trusted))
	}
	var columns columns
	var b Batch
	for {
		err := src.Next(&b, 256)
		if err == io.EOF { //nolint:errorlint // the end itself
			break
		}
		if err != nil {
			return nil, err
		}
		s.Images = append(s.Images, b.Images...)
		columns.add(b.Records)
	}
	columns.store(s)
	s.Info = src.Info()
	s.Skipped = s.Info.Skipped
	if s.Rows() == 0 {
		return nil, fault.Usagef("%s: none of the images can be read", info.Name)
	}
	return s, nil
}

// columns gathers records, and tells which columns say something.
type columns struct {
	labels                     []int32
	paths, splits              []string
	ids                        []int64
	labelled, named, many, own bool
}

func (c *columns) add(records []Record) {
	for _, r := range records {
		c.labelled = c.labelled || r.Label >= 0
		c.named = c.named || r.Path != ""
		c.own = c.own || r.ID != int64(len(c.ids))
		c.many = c.many || len(c.splits) > 0 && c.splits[0] != r.Split
		c.labels, c.paths = append(c.labels, r.Label), append(c.paths, r.Path)
		c.splits, c.ids = append(c.splits, r.Split), append(c.ids, r.ID)
	}
}

func (c *columns) store(s *Set) {
	if c.labelled {
		s.Labels = c.labels
	}
	if c.named {
		s.Paths = c.paths
	}
	if c.many {
		s.Splits = c.splits
	}
	if c.own {
		s.IDs = c.ids
	}
}

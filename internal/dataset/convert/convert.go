// Package convert writes data sets in the formats that others read: a folder of
// IDX files, an .npz archive, a folder of PNG images, a folder of Parquet files.
//
// A result appears whole or not at all (package durable), and its place is locked
// while it is written. It never overwrites. Pixels and labels survive exactly; ids
// follow the new order where a format has one of its own (images go by class).
package convert

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"moncae/internal/dataset"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

// Formats are the names of what can be written.
var Formats = []string{"idx", "npz", "images", "parquet"}

// Write writes the sets, each a split of one data set (named by its Info.Split;
// "all" if there is only one and it is everything), to out.
func Write(disk durable.FS, out, format string, sets ...*dataset.Set) (err error) {
	if !slices.Contains(Formats, format) {
		return fault.Usagef("format %q: it is one of %s", format, strings.Join(Formats, ", "))
	}
	if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
		return fault.Usagef("%s: is there already; name a new place, or move it away", out)
	}
	for _, s := range sets {
		if s.Shape != sets[0].Shape {
			return fmt.Errorf("convert: shapes %v and %v differ", sets[0].Shape, s.Shape)
		}
	}
	to, err := disk.Claim(out)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		err = fault.Usagef("%w", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	switch format {
	case "idx":
		err = writeIDX(to, sets)
	case "npz":
		err = writeNPZ(to, sets)
	case "images":
		err = writeImages(to, sets)
	case "parquet":
		err = writeParquet(to, sets)
	}
	if err != nil {
		return err
	}
	return to.CommitNew()
}

// complete tells whether every row has a label; some but not all is an error.
func complete(s *dataset.Set) (bool, error) {
	if s.Labels == nil {
		return false, nil
	}
	if i := slices.Index(s.Labels, -1); i >= 0 {
		return false, fault.Usagef("%s: image %d has no label, others have; this format needs all or none", s.Name, s.ID(i))
	}
	return true, nil
}

// hwc is a row's pixels, interleaved.
func hwc(dst []uint8, s *dataset.Set, row int) []uint8 {
	plane := s.Shape.H * s.Shape.W
	image := s.Image(row)
	dst = dst[:0]
	for i := range plane {
		for c := range s.Shape.C {
			dst = append(dst, image[c*plane+i])
		}
	}
	return dst
}

// Package convert writes data sets in the formats that others read: a folder of
// IDX files, an .npz archive, a folder of PNG images, a folder of Parquet files.
//
// A result appears whole or not at all (package durable), and its place is locked
// while it is written. What is there is replaced only if the target says so. Pixels and labels survive exactly; ids
// follow the new order where a format has one of its own (images go by class).
package convert

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/dataset"
	"moncae/internal/dataset/files"
	"moncae/internal/durable"
	"moncae/internal/fault"
)

// Formats are the names of what can be written.
var Formats = []string{"idx", "npz", "images", "parquet"}

// Target is what is written, and where.
type Target struct {
	Path, Format string
	Overwrite    bool // what is there already, if it was written in the same format
}

// endings are those of the files in each format's folders.
var endings = map[string][]string{"idx": {"-ubyte", "-ubyte.gz"}, "images": {".png"}, "parquet": {".parquet"}}

// Check refuses what can't be written.
func (t Target) Check() error {
	if !slices.Contains(Formats, t.Format) {
		return fault.Usagef("format %q: it is one of %s", t.Format, strings.Join(Formats, ", "))
	}
	if err := t.checkEnding(); err != nil {
		return err
	}
	if t.Format == "npz" {
		if info, err := os.Stat(t.Path); err == nil && info.IsDir() {
			return fault.Usagef("%s is a folder: name a file", t.Path)
		}
		return durable.Vacant(t.Path, t.Overwrite)
	}
	return durable.VacantFolder(t.Path, t.Overwrite, endings[t.Format]...)
}

// checkEnding refuses a name under which what is written wouldn't be read.
func (t Target) checkEnding() error {
	ending := strings.ToLower(filepath.Ext(t.Path))
	switch isFile := files.IsArchive(t.Path) || slices.Contains([]string{".npy", ".parquet", ".arrow", ".csv"}, ending); {
	case t.Format == "npz" && ending != ".npz":
		return fault.Usagef("%s: the name of such a file ends in .npz: give %s.npz", t.Path, strings.TrimSuffix(t.Path, filepath.Ext(t.Path)))
	case t.Format != "npz" && isFile && ending != "."+t.Format:
		return fault.Usagef("%s: the format %s is a folder, and this is the name of a file: give %s", t.Path, t.Format, files.Stem(strings.TrimSuffix(t.Path, filepath.Ext(t.Path))))
	}
	return nil
}

// Write writes the sets, each a split of one data set (named by its Info.Split;
// "all" if there is only one and it is everything), to the target.
func Write(disk durable.FS, t Target, sets ...*dataset.Set) (err error) {
	if err := t.Check(); err != nil {
		return err
	}
	for _, s := range sets {
		if s.Shape != sets[0].Shape {
			return fmt.Errorf("convert: shapes %v and %v differ", sets[0].Shape, s.Shape)
		}
	}
	to, err := disk.Claim(t.Path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		err = fault.Usagef("%w", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	switch t.Format {
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
	if t.Overwrite {
		return to.Commit()
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

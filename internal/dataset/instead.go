package dataset

import (
	"io"
	"path"
	"strings"

	"moncae/internal/dataset/files"
	"moncae/internal/dataset/labelfile"
	"moncae/internal/dataset/magic"
	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// instead is why the file name can't be read, where its content says that better than err:
// it isn't what its name says.
func instead(name string, err error) error {
	if fault.Of(err) != fault.Usage {
		return err
	}
	k := kindOf(&source.File{Path: name, Disk: name})
	if what, _ := unread(name); k == nil || k.Fits(name) || what != "" && !k.Stray {
		return err
	}
	return fault.Usagef("%s: is %s; %s", name, k.What, k.Fix)
}

// mostLooked is how many files of a folder or an archive are looked into for why it can't be read.
const mostLooked = 1000

// insteadIn is the same of the files in a folder or an archive.
func insteadIn(name string, list []source.File, err error) error {
	if fault.Of(err) != fault.Usage {
		return err
	}
	looked := 0
	for i := range list {
		f := &list[i]
		if !isData(f.Path) || looked == mostLooked {
			continue
		}
		looked++
		if k := kindOf(f); k != nil && !k.Fits(f.Path) && (k.Stray || strings.Contains(err.Error(), f.Path)) {
			return fault.Usagef("%s: %s is %s; %s", name, f.Path, k.What, k.Fix)
		}
	}
	return err
}

// isData tells by its name whether a file should hold data.
func isData(name string) bool {
	return opener(name) != nil || files.IsArchive(name) || files.IsImage(name) || labelfile.Is(name) || strings.Contains(path.Base(name), "idx") ||
		strings.EqualFold(path.Ext(name), ".gz")
}

// kindOf is what a file is by its content, nil where that isn't known or can't be read.
func kindOf(f *source.File) *magic.Kind {
	r, err := f.Reader()
	if err != nil {
		return nil
	}
	defer func() { _ = r.Close() }() // only read
	head, err := io.ReadAll(io.LimitReader(r, magic.Head))
	if err != nil {
		return nil
	}
	return magic.Of(head)
}

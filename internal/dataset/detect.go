package dataset

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/dataset/cifar"
	"moncae/internal/dataset/columnar"
	"moncae/internal/dataset/files"
	"moncae/internal/dataset/idx"
	"moncae/internal/dataset/labelfile"
	"moncae/internal/dataset/mat"
	"moncae/internal/dataset/npy"
	"moncae/internal/dataset/pixelcsv"
	"moncae/internal/dataset/source"
	"moncae/internal/dataset/stl"
	"moncae/internal/dataset/tree"
	"moncae/internal/dataset/webdataset"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

// openPath finds out what a file or folder holds, and opens it.
func openPath(ctx context.Context, name string, ask source.Columns) (*source.Collection, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fault.Usagef("no data there: %w", err)
	}
	if !info.IsDir() {
		if err := regular.Check(name, info); err != nil {
			return nil, err
		}
		if !files.IsArchive(name) {
			c, err := openFile(name, ask)
			if err != nil {
				err = instead(name, err)
			}
			return c, err
		}
	}
	l, err := files.Open(ctx, name)
	if err != nil {
		return nil, instead(name, err)
	}
	c, err := collectList(ctx, name, l, ask)
	if err != nil {
		return nil, errors.Join(insteadIn(name, l.Files, err), l.Close())
	}
	c.LeftOut.Join(l.LeftOut)
	c.OnClose(l.Close)
	return c, nil
}

// collectors try a list of files in turn; each gives nil for what is not its own.
var collectors = []collector{
	func(_ string, list []source.File, _ source.Columns) (*source.Collection, error) {
		return idx.Collect(list)
	},
	func(_ string, list []source.File, _ source.Columns) (*source.Collection, error) {
		return cifar.Collect(list)
	},
	func(_ string, list []source.File, _ source.Columns) (*source.Collection, error) {
		return cifar.CollectPython(list)
	},
	func(_ string, list []source.File, _ source.Columns) (*source.Collection, error) {
		return stl.Collect(list)
	},
	plain(webdataset.Collect),
	plain(npy.Collect),
	plain(mat.Collect),
	columnar.Collect,
	pixelcsv.Collect,
	tree.Collect,
}

// collector makes a collection of a list of files; ask names columns, where it has any.
type collector func(name string, list []source.File, ask source.Columns) (*source.Collection, error)

// plain is a collector of a format without columns.
func plain(collect func(string, []source.File) (*source.Collection, error)) collector {
	return func(name string, list []source.File, _ source.Columns) (*source.Collection, error) {
		return collect(name, list)
	}
}

// collectList reads what lies in a folder or an archive; where that is nothing of use,
// what lies in the archives there.
func collectList(ctx context.Context, name string, l *files.List, ask source.Columns) (*source.Collection, error) {
	c, err := collect(name, l.Files, ask)
	if c != nil || err != nil {
		return c, err
	}
	archives := l.Archives()
	tables := slices.ContainsFunc(l.Files, func(f source.File) bool { return labelfile.Is(f.Path) })
	switch {
	case len(archives) == 1 && !tables:
		if c, err = openPath(ctx, archives[0].Disk, ask); err == nil {
			c.LeftOut.Others(l.Files, archives[0])
		}
		return c, err
	case len(archives) > 0:
		if err := l.OpenArchives(ctx); err != nil {
			return nil, err
		}
		if c, err = collect(name, l.Files, ask); c != nil || err != nil {
			return c, err
		}
	}
	return nil, nothing(name, l.Files)
}

// collect asks the collectors in turn; nil if none knows the files.
func collect(name string, list []source.File, ask source.Columns) (*source.Collection, error) {
	for _, of := range collectors {
		if c, err := of(name, list, ask); c != nil || err != nil {
			return c, err
		}
	}
	return nil, nil
}

// openers are the formats of single files, by ending.
var openers = map[string]collector{
	".npy": plain(npy.Collect), ".mat": plain(mat.Collect),
	".csv": pixelcsv.Collect, ".tsv": pixelcsv.Collect,
	".parquet": columnar.Collect, ".arrow": columnar.Collect, ".arrows": columnar.Collect, ".feather": columnar.Collect, ".ipc": columnar.Collect,
}

// openListed opens a single file as a list of one.
func openListed(name string, collect collector, ask source.Columns) (*source.Collection, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	c, err := collect(name, []source.File{{Path: name, Size: info.Size(), Stored: info.Size(), Disk: name}}, ask)
	if c == nil && err == nil {
		err = fault.Usagef("%s: its rows are no images: grey square images of 8×8 values at least are read, a value a column, or all in one with spaces between", name)
	}
	return c, err
}

func opener(name string) collector {
	return openers[strings.ToLower(filepath.Ext(name))]
}

// openFile opens a single file by its ending, or as IDX by its content.
func openFile(name string, ask source.Columns) (*source.Collection, error) {
	if collect := opener(name); collect != nil {
		return openListed(name, collect, ask)
	}
	if files.IsImage(name) {
		return nil, fault.Usagef("%s: is a single image; name the folder that holds it", name)
	}
	if what, fix := unread(name); what != "" {
		return nil, fault.Usagef("%s: is %s, which isn't read; %s", name, what, fix)
	}
	if err := looksLikeIDX(name); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	var list []source.File
	var images *source.File
	for _, e := range entries {
		at := filepath.Join(filepath.Dir(name), e.Name())
		info, err := os.Stat(at)
		if err != nil || !info.Mode().IsRegular() {
			continue // a link to nowhere beside the file is none of our business
		}
		list = append(list, source.File{Path: at, Size: info.Size(), Stored: info.Size(), Disk: at})
	}
	for i := range list {
		if list[i].Path == filepath.Clean(name) {
			images = &list[i]
		}
	}
	if images == nil {
		return nil, fault.Usagef("%s: is not a regular file", name)
	}
	return idx.CollectFile(images, list)
}

// looksLikeIDX checks that a file begins as IDX or gzip does.
func looksLikeIDX(name string) error {
	f, err := regular.Open(name)
	if err != nil {
		return fault.Usagef("%w", err)
	}
	defer func() { _ = f.Close() }() // only read
	var b [2]byte
	if _, err := io.ReadFull(f, b[:]); err == nil && (b == [2]byte{0, 0} || b == [2]byte{0x1f, 0x8b} && strings.HasSuffix(name, ".gz")) {
		return nil
	}
	return fault.Usagef("%s: is in no known format: an image folder, .zip, .tar, .tar.gz, .tar.zst, .npy, .npz, .csv, .parquet, .arrow, .mat, or IDX (plain or .gz) is needed", name)
}

package files

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// maxVisits is how many ways may lead to one folder by links; fans of them lead to
// one in as many ways as one likes.
const maxVisits = 64

// listFolder walks a folder. Links to files and folders are followed; a folder
// that is its own ancestor is not entered again.
func listFolder(ctx context.Context, name string) (*List, error) {
	l := &List{}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	w := walker{List: l, visits: map[string]int{}}
	return l, w.walk(ctx, name, "", []os.FileInfo{info}, false)
}

// walker walks one folder.
type walker struct {
	*List
	visits map[string]int // of folders that a link led to, or above which one did
}

// visit counts a way to a folder.
func (w *walker) visit(disk string) error {
	real, err := filepath.EvalSymlinks(disk)
	if err != nil {
		return fault.Usagef("reading the folder: %w", err)
	}
	if w.visits[real]++; w.visits[real] > maxVisits {
		return fault.Usagef("%s: links lead to the folder %s in more than %d ways: remove some", disk, real, maxVisits)
	}
	return nil
}

// walk adds the files under the folder disk, which is rel within the root and
// has the given ancestors, itself the last.
func (w *walker) walk(ctx context.Context, disk, rel string, ancestors []os.FileInfo, linked bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(disk)
	if err != nil {
		return fault.Usagef("reading the folder: %w", err)
	}
	if rel != "" && !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !hidden(e.Name()) }) {
		w.LeftOut.Add(isEmpty, rel, 1)
	}
	for _, e := range entries {
		at, in := filepath.Join(disk, e.Name()), path.Join(rel, validPath(e.Name()))
		if hidden(e.Name()) {
			example, n := filesBelow(at)
			w.LeftOut.Add(isHidden, path.Join(in, validPath(filepath.ToSlash(example))), n)
			continue
		}
		if e.Type().IsRegular() && IsImage(e.Name()) { // without asking for its size, which costs as much as all else here
			w.Files = append(w.Files, source.File{Path: in, Size: -1, Stored: -1, Disk: at})
			continue
		}
		info, err := os.Stat(at)
		switch {
		case err != nil: // a link to nowhere: reading it will fail, and say so
			w.Files = append(w.Files, source.File{Path: in, Size: -1, Stored: -1, Disk: at})
		case info.IsDir():
			if isAncestor(info, ancestors) {
				continue
			}
			linked := linked || e.Type()&fs.ModeSymlink != 0
			if linked {
				if err := w.visit(at); err != nil {
					return err
				}
			}
			if err := w.walk(ctx, at, in, append(ancestors, info), linked); err != nil {
				return err
			}
		case info.Mode().IsRegular():
			w.Files = append(w.Files, source.File{Path: in, Size: info.Size(), Stored: info.Size(), Disk: at})
		default: // sockets, devices, pipes
			w.LeftOut.Add(notRegular, in, 1)
		}
	}
	return nil
}

func isAncestor(info os.FileInfo, ancestors []os.FileInfo) bool {
	for _, a := range ancestors {
		if os.SameFile(a, info) {
			return true
		}
	}
	return false
}

// filesBelow counts the files in what is left out, itself if it is one, and names
// the first of them by its path below.
func filesBelow(at string) (first string, n int) {
	_ = filepath.WalkDir(at, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // what can't be looked into isn't read either
		}
		if n++; n == 1 {
			first, _ = filepath.Rel(at, p) // p lies below at
		}
		return nil
	})
	return first, n
}

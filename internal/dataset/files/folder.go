package files

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// listFolder walks a folder. Links to files and folders are followed; a folder
// that is its own ancestor is not entered again.
func listFolder(ctx context.Context, name string) (*List, error) {
	l := &List{}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	return l, l.walk(ctx, name, "", []os.FileInfo{info})
}

// walk adds the files under the folder disk, which is rel within the root and
// has the given ancestors, itself the last.
func (l *List) walk(ctx context.Context, disk, rel string, ancestors []os.FileInfo) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(disk)
	if err != nil {
		return fault.Usagef("reading the folder: %w", err)
	}
	for _, e := range entries {
		at, in := filepath.Join(disk, e.Name()), path.Join(rel, validPath(e.Name()))
		if hidden(e.Name()) {
			example, n := filesBelow(at)
			l.LeftOut.Add(isHidden, path.Join(in, validPath(filepath.ToSlash(example))), n)
			continue
		}
		if e.Type().IsRegular() && IsImage(e.Name()) { // without asking for its size, which costs as much as all else here
			l.Files = append(l.Files, source.File{Path: in, Size: -1, Stored: -1, Disk: at})
			continue
		}
		info, err := os.Stat(at)
		switch {
		case err != nil: // a link to nowhere: reading it will fail, and say so
			l.Files = append(l.Files, source.File{Path: in, Size: -1, Stored: -1, Disk: at})
		case info.IsDir():
			if isAncestor(info, ancestors) {
				continue
			}
			if err := l.walk(ctx, at, in, append(ancestors, info)); err != nil {
				return err
			}
		case info.Mode().IsRegular():
			l.Files = append(l.Files, source.File{Path: in, Size: info.Size(), Stored: info.Size(), Disk: at})
		default: // sockets, devices, pipes
			l.LeftOut.Add(notRegular, in, 1)
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

// Package files lists what lies in a folder, a zip or a tar (also gzip or zstd
// compressed), as one kind of list, in the byte order of the paths.
//
// Archives are not unpacked: zips and plain tars are read where they lie, with
// random access; the members of a compressed tar that could be data are copied
// to one temporary file (in $TMPDIR, gone with Close), for they can't be reached
// otherwise. Memory: the list of paths.
//
// Archives are not trusted. Paths that leave the archive, two members of one
// name, members that claim to be larger than MaxMember, encrypted members, and
// archives that blow up more than maxRatio times are refused.
package files

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
)

// MaxMember is the size of the largest member of an archive that is read.
const MaxMember = 1 << 30

// maxRatio is how much larger than its archive the content may be; images are
// compressed already, and raw pixels gain less than this.
const maxRatio = 200

// small is the size up to which no ratio is asked for.
const small = 16 << 20

// List is the content of a folder or an archive.
type List struct {
	Files   []source.File // in the byte order of their paths
	LeftOut source.Omissions
	close   func() error
}

// Close frees the archive and its temporary copy; nothing can be read after it.
func (l *List) Close() error {
	if l.close == nil {
		return nil
	}
	return l.close()
}

// onClose adds to what Close does.
func (l *List) onClose(f func() error) {
	before := *l
	l.close = func() error { return errors.Join(before.Close(), f()) }
}

// kinds are the archives by their endings.
var kinds = []struct {
	ending string
	list   func(ctx context.Context, name string) (*List, error)
}{
	{".zip", listZip},
	{".npz", listZip},
	{".tar", listTar},
	{".tar.gz", listGzip},
	{".tgz", listGzip},
	{".tar.zst", listZstd},
	{".tzst", listZstd},
}

// IsArchive tells by a file's name whether List can look into it.
func IsArchive(name string) bool {
	return archive(name) != nil
}

// Stem is an archive's name without its ending, any other name as it is.
func Stem(name string) string {
	low := strings.ToLower(name)
	for _, k := range kinds {
		if strings.HasSuffix(low, k.ending) {
			return name[:len(name)-len(k.ending)]
		}
	}
	return name
}

func archive(name string) func(context.Context, string) (*List, error) {
	low := strings.ToLower(name)
	for _, k := range kinds {
		if strings.HasSuffix(low, k.ending) {
			return k.list
		}
	}
	return nil
}

// Open lists the folder or archive at name.
func Open(ctx context.Context, name string) (*List, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	list := listFolder
	if !info.IsDir() {
		if list = archive(name); list == nil {
			return nil, fault.Usagef("%s: not a folder, .zip, .tar, .tar.gz or .tar.zst", name)
		}
	}
	l, err := list(ctx, name)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(l.Files, byPath)
	for i := 1; i < len(l.Files); i++ {
		if l.Files[i].Path == l.Files[i-1].Path {
			_ = l.Close()
			return nil, fault.Usagef("%s: holds %s twice; which of them is meant is unclear", name, l.Files[i].Path)
		}
	}
	return l, nil
}

// Archives are the archives in a folder.
func (l *List) Archives() []*source.File {
	var out []*source.File
	for i := range l.Files {
		if f := &l.Files[i]; f.Disk != "" && IsArchive(f.Path) {
			out = append(out, f)
		}
	}
	return out
}

// OpenArchives replaces the archives in a folder, such as WebDataset's shards, by their
// members, whose paths begin with the archive's.
func (l *List) OpenArchives(ctx context.Context) error {
	var all []source.File
	for _, f := range l.Files {
		if f.Disk == "" || !IsArchive(f.Path) {
			all = append(all, f)
			continue
		}
		inner, err := Open(ctx, f.Disk)
		if err != nil {
			return err
		}
		l.onClose(inner.Close)
		for _, m := range inner.Files {
			m.Path = f.Path + "/" + m.Path
			all = append(all, m)
		}
		l.LeftOut.Join(inner.LeftOut)
	}
	slices.SortFunc(all, byPath)
	l.Files = all
	return nil
}

func byPath(a, b source.File) int { return strings.Compare(a.Path, b.Path) }

// imageEndings are the endings of files that are taken for images.
var imageEndings = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm", ".pbm", ".pnm"}

// IsImage tells by its name whether a file is an image.
func IsImage(name string) bool {
	return slices.Contains(imageEndings, strings.ToLower(path.Ext(name)))
}

// wanted tells whether a member could be data that some reader understands.
func wanted(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return IsImage(name) || source.HasNoEnding(name) || strings.Contains(path.Base(name), "idx") ||
		slices.Contains([]string{".bin", ".cls", ".json", ".jsonl", ".csv", ".tsv", ".txt", ".mat", ".npy", ".npz"}, ext)
}

// The reasons for which files are left out here.
const (
	isHidden   = "hidden files, thumbnails and those of the system"
	isEmpty    = "empty folders, which are no classes"
	notRegular = "links inside an archive, and what is no regular file"
)

// systems are names, in lower case, that file managers, cameras and archivers leave
// beside images.
var systems = []string{"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "#recycle", "@recycle", "$recycle.bin", "system volume information", "lost+found", "__pycache__"}

func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || slices.Contains(systems, strings.ToLower(part)) {
			return true
		}
	}
	return false
}

// unwanted is the reason for which a member of an archive is left out, "" for none.
func unwanted(path string, regular bool) string {
	switch {
	case hidden(path):
		return isHidden
	case !regular:
		return notRegular
	}
	return ""
}

// member cleans and checks the path of an archive's member.
func member(archive, name string) (string, error) {
	name = validPath(name)
	clean := path.Clean(strings.TrimPrefix(name, "./"))
	if name == "" || strings.ContainsAny(name, "\\\x00") || !filepath.IsLocal(clean) || path.IsAbs(name) ||
		slices.Contains(strings.Split(name, "/"), "..") {
		return "", fault.Usagef("%s: member %q leaves the archive, or is no plain relative path with slashes; pack it again", archive, name)
	}
	return clean, nil
}

// checkSize refuses members that claim too much.
func checkSize(archive, name string, size, stored int64) error {
	if size < 0 || size > MaxMember {
		return fault.Usagef("%s: member %s claims %d bytes; more than %d are refused: unpack the archive and name the folder", archive, name, size, int64(MaxMember))
	}
	if size > small && stored >= 0 && size/maxRatio > stored {
		return fault.Usagef("%s: member %s claims to grow from %d to %d bytes; more than %d-fold is refused", archive, name, stored, size, maxRatio)
	}
	return nil
}

// leaveEmpty counts those of an archive's folders in which nothing lies.
func (l *List) leaveEmpty(folders []string) {
	filled := map[string]bool{".": true}
	fill := func(p string) {
		for p = path.Dir(p); !filled[p]; p = path.Dir(p) {
			filled[p] = true
		}
	}
	for _, f := range folders {
		fill(f)
	}
	for _, f := range l.Files {
		fill(f.Path)
	}
	slices.Sort(folders)
	for _, f := range slices.Compact(folders) {
		if !filled[f] && !hidden(f) {
			l.LeftOut.Add(isEmpty, f, 1)
		}
	}
}

// section reads a part of an open file.
func section(r io.ReaderAt, at, size int64) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(r, at, size)), nil }
}

package files

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

func listZip(ctx context.Context, name string) (*List, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	l, err := zipMembers(ctx, name, f)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	l.close = f.Close
	return l, nil
}

func zipMembers(ctx context.Context, name string, f *os.File) (*List, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if errors.Is(err, zip.ErrFormat) {
		return nil, fault.Usagef("%s: a damaged zip, or none at all: the list of its files at the end is missing", name)
	}
	if err != nil {
		return nil, fault.Usagef("%s: %w", name, err)
	}
	unzstd := zstd.ZipDecompressor(zstd.WithDecoderMaxMemory(MaxMember))
	z.RegisterDecompressor(zstd.ZipMethodWinZip, func(r io.Reader) io.ReadCloser { return zstdReader{unzstd(r)} })
	l, stored := &List{}, int64(0)
	var folders []string
	for _, m := range z.File {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		inside := zipName(m.Name, m.Extra)
		path, err := member(name, inside)
		if strings.HasSuffix(inside, "/") {
			if err == nil { // a folder that leaves the archive has no part in it
				folders = append(folders, path)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if reason := unwanted(path, m.Mode().IsRegular()); reason != "" {
			l.LeftOut.Add(reason, path, 1)
			continue
		}
		if m.Flags&1 != 0 {
			return nil, fault.Usagef("%s: member %s is encrypted; unpack the archive and name the folder", name, path)
		}
		size, packed := int64(m.UncompressedSize64), int64(m.CompressedSize64)
		if err := checkSize(name, path, size, packed); err != nil {
			return nil, err
		}
		if stored += packed; packed < 0 || stored > info.Size() {
			return nil, fault.Usagef("%s: its members overlap: they claim more bytes than the file has (%d)", name, info.Size())
		}
		l.Files = append(l.Files, source.File{Path: path, Size: size, Stored: packed, Open: m.Open})
	}
	l.leaveEmpty(folders)
	return l, nil
}

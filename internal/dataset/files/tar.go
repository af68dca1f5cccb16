package files

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"moncae/internal/dataset/source"
	"moncae/internal/fault"
	"moncae/internal/regular"
)

// listTar lists a plain tar, whose members can be read where they are.
func listTar(ctx context.Context, name string) (*List, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l := &List{close: f.Close}
	err = l.members(ctx, name, f, func(r *tar.Reader, h *tar.Header, path string) (source.File, error) {
		at, err := f.Seek(0, io.SeekCurrent)
		if err == nil && h.Size > info.Size()-at {
			err = fault.Usagef("%s: member %s claims %d bytes at offset %d, where %d are left: the archive is cut off", name, path, h.Size, at, info.Size()-at)
		}
		return source.File{Path: path, Size: h.Size, Stored: h.Size, Open: section(f, at, h.Size)}, err
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

func listGzip(ctx context.Context, name string) (*List, error) {
	return listCompressed(ctx, name, func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) })
}

func listZstd(ctx context.Context, name string) (*List, error) {
	return listCompressed(ctx, name, func(r io.Reader) (io.ReadCloser, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(MaxMember))
		if err != nil {
			return nil, err
		}
		return zstdReader{d.IOReadCloser()}, nil
	})
}

// zstdReader has the library's many errors say what they mean.
type zstdReader struct{ io.ReadCloser }

var errZstd = errors.New("it is no zstd, or damaged; get it again")

func (z zstdReader) Read(b []byte) (int, error) {
	n, err := z.ReadCloser.Read(b)
	if p := (*os.PathError)(nil); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.As(err, &p) {
		err = errZstd
	}
	return n, err
}

// listCompressed copies the members of a compressed tar that could be data to a
// temporary file, and lists them there.
func listCompressed(ctx context.Context, name string, decompress func(io.Reader) (io.ReadCloser, error)) (*List, error) {
	f, err := regular.Open(name)
	if err != nil {
		return nil, fault.Usagef("%w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	d, err := decompress(f)
	if err != nil {
		return nil, fault.Usagef("%s: %w", name, err)
	}
	defer func() { _ = d.Close() }() // only read
	spool, err := os.CreateTemp("", "moncae-*.spool")
	if err != nil {
		return nil, err
	}
	l := &List{close: func() error { return errors.Join(spool.Close(), os.Remove(spool.Name())) }}
	total := int64(0)
	limited := &io.LimitedReader{R: d, N: max(info.Size()*maxRatio, small)}
	err = l.members(ctx, name, limited, func(r *tar.Reader, h *tar.Header, path string) (source.File, error) {
		at := total
		if wanted(path) {
			n, err := io.Copy(spool, r)
			if total += n; err != nil {
				return source.File{}, readError(name, err)
			}
		}
		return source.File{Path: path, Size: h.Size, Stored: h.Size, Open: section(spool, at, total-at)}, nil
	})
	if limited.N <= 0 {
		err = fault.Usagef("%s: grows to more than %d times its size when unpacked, and is refused", name, maxRatio)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.share(info.Size(), total)
	return l, nil
}

// share divides an archive's bytes among its members by their size.
func (l *List) share(archive, content int64) {
	for i := range l.Files {
		if content > 0 {
			l.Files[i].Stored = int64(float64(l.Files[i].Size) * float64(archive) / float64(content))
		}
	}
}

// members calls add for every regular file, with its reader at its content.
func (l *List) members(ctx context.Context, name string, r io.Reader, add func(*tar.Reader, *tar.Header, string) (source.File, error)) error {
	t := tar.NewReader(r)
	var folders []string
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			l.leaveEmpty(folders)
			return nil
		}
		if err != nil {
			return readError(name, err)
		}
		path, err := member(name, h.Name)
		if h.Typeflag == tar.TypeDir {
			if err == nil { // a folder that leaves the archive has no part in it
				folders = append(folders, path)
			}
			continue
		}
		if err != nil {
			return err
		}
		_, sparse := h.PAXRecords["GNU.sparse.major"]
		if reason := unwanted(path, h.Typeflag == tar.TypeReg && !sparse); reason != "" {
			l.LeftOut.Add(reason, path, 1)
			continue
		}
		if err := checkSize(name, path, h.Size, -1); err != nil {
			return err
		}
		f, err := add(t, h, path)
		if err != nil {
			return err
		}
		l.Files = append(l.Files, f)
	}
}

// readError is the fault of a compressed stream or archive that ends or breaks.
func readError(name string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Usagef("%s: the archive is cut off; get it again", name)
	}
	var p *os.PathError
	if errors.As(err, &p) { // the disk, not the data
		return err
	}
	return fault.Usagef("%s: %w", name, err)
}

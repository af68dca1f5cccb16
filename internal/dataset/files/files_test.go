package files

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"moncae/internal/fault"
)

// content is what every archive of the tests holds, out of order.
var content = []struct{ name, data string }{
	{"top/b/2.png", "two"}, {"top/a/1.png", "one"}, {"top/.DS_Store", "x"}, {"__MACOSX/top/a/._1.png", "x"},
	{"top/a-b/3.jpg", "three"}, {"top/readme.txt", "hello"},
}

func makeZip(t *testing.T, change func(*zip.FileHeader)) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, c := range content {
		h := &zip.FileHeader{Name: c.name, Method: zip.Deflate}
		if change != nil {
			change(h)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, c.data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func makeTar(t *testing.T, more ...*tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "top/", Typeflag: tar.TypeDir, Mode: 0o755})
	for _, c := range content {
		if err := w.WriteHeader(&tar.Header{Name: "./" + c.name, Size: int64(len(c.data)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, c.data)
	}
	for _, h := range more {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(make([]byte, h.Size))
	}
	_ = w.Close()
	return b.Bytes()
}

func gz(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func zst(t *testing.T, data []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func write(t *testing.T, name string, data []byte) string {
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestSameList: a folder and all archives of it give one list, in byte order of
// the paths ('-' is before '/').
func TestSameList(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "folder")
	for _, c := range content {
		p := filepath.Join(dir, c.name)
		_ = os.MkdirAll(filepath.Dir(p), 0o755)
		if err := os.WriteFile(p, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plain := makeTar(t, &tar.Header{Name: "top/a/link.png", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	for _, name := range []string{dir,
		write(t, "x.zip", makeZip(t, nil)), write(t, "x.tar", plain), write(t, "x.TGZ", gz(t, plain)),
		write(t, "x.tar.gz", gz(t, plain)), write(t, "x.tar.zst", zst(t, plain))} {
		l, err := Open(context.Background(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := ""
		for i := range l.Files {
			r, err := l.Files[i].Reader()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			got += l.Files[i].Path + "=" + string(b) + " "
		}
		if want := "top/a-b/3.jpg=three top/a/1.png=one top/b/2.png=two top/readme.txt=hello "; got != want {
			t.Errorf("%s: %s, want %s", filepath.Base(name), got, want)
		}
		if l.LeftOut.Total() < 2 {
			t.Errorf("%s: %v left out", filepath.Base(name), l.LeftOut)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSpoolIsRemoved(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	l, err := Open(context.Background(), write(t, "x.tar.gz", gz(t, makeTar(t))))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), write(t, "y.tar.gz", gz(t, makeTar(t))[:200])); err == nil {
		t.Fatal("a cut archive was read")
	}
	if left, _ := os.ReadDir(tmp); len(left) != 0 {
		t.Errorf("%v was left behind", left)
	}
}

func TestBadArchives(t *testing.T) {
	reg := func(name string, size int64) *tar.Header {
		return &tar.Header{Name: name, Size: size, Mode: 0o644, Typeflag: tar.TypeReg}
	}
	rename := func(to string) func(*zip.FileHeader) {
		return func(h *zip.FileHeader) { h.Name = to }
	}
	plain := makeTar(t)
	bomb := gz(t, makeTar(t, reg("a.png", 64<<20)))
	twice := makeTar(t, reg("top/a/1.png", 3))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"dots.zip", makeZip(t, rename("a/../../b.png")), "leaves the archive"},
		{"root.zip", makeZip(t, rename("/etc/b.png")), "leaves the archive"},
		{"backslash.zip", makeZip(t, rename(`..\b.png`)), "leaves the archive"},
		{"twice.zip", makeZip(t, rename("b.png")), "b.png twice"},
		{"locked.zip", makeZip(t, func(h *zip.FileHeader) { h.Flags |= 1 }), "is encrypted"},
		{"cut.zip", makeZip(t, nil)[:300], "a damaged zip, or none at all"},
		{"empty.zip", nil, "a damaged zip, or none at all"},
		{"dots.tar", makeTar(t, reg("../b.png", 0)), "leaves the archive"},
		{"twice.tar", twice, "twice"},
		{"cut.tar", plain[:600], "cut off"},
		{"text.tar", []byte(strings.Repeat("no tar at all ", 100)), "invalid tar header"},
		{"bomb.tar.gz", bomb, "more than 200 times its size"},
		{"cut.tar.gz", gz(t, plain)[:100], "cut off"},
		{"text.tar.gz", []byte("no gzip, this"), "invalid header"},
		{"text.tar.zst", []byte("no zstandard, this"), "text.tar.zst"},
		{"x.rar", []byte("x"), "not a folder, .zip"},
	} {
		l, err := Open(context.Background(), write(t, c.name, c.data))
		if err == nil {
			_ = l.Close()
		}
		if err == nil || fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: error is %v, should contain %q", c.name, err, c.want)
		}
	}
}

func TestSizesAreChecked(t *testing.T) {
	for _, c := range []struct {
		size, stored int64
		want         string
	}{
		{MaxMember + 1, -1, "are refused"}, {-1, -1, "are refused"}, {1 << 29, 1000, "200-fold"}, {small, 10, ""}, {1 << 29, 1 << 28, ""},
	} {
		err := checkSize("a.zip", "m.png", c.size, c.stored)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d of %d: %v, should contain %q", c.size, c.stored, err, c.want)
		}
	}
}

// TestLinks: links to files and folders count, circles end, and a link to
// nowhere is listed, for reading it to fail.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "a/deep"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "a/1.png"), []byte("x"), 0o600))
	must(os.Symlink("..", filepath.Join(dir, "a/deep/up")))
	must(os.Symlink(dir, filepath.Join(dir, "a/root")))
	must(os.Symlink("a", filepath.Join(dir, "b")))
	must(os.Symlink("nowhere", filepath.Join(dir, "c.png")))
	l, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range l.Files {
		got = append(got, f.Path)
	}
	if s := strings.Join(got, " "); s != "a/1.png b/1.png c.png" {
		t.Errorf("listed %s", s)
	}
	if _, err := l.Files[2].Reader(); err == nil {
		t.Error("the link to nowhere can be read")
	}
}

// TestEmptyFolders: a folder without files is no class, which is said.
func TestEmptyFolders(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a/full", "a/empty", "b/empty"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"a/full/1.png", "b/empty/.DS_Store"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := z.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	packed := &bytes.Buffer{}
	w := tar.NewWriter(packed)
	if err := errors.Join(z.Close(), w.AddFS(os.DirFS(dir)), w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, write(t, "x.zip", b.Bytes()), write(t, "x.tar", packed.Bytes()), write(t, "x.tar.gz", gz(t, packed.Bytes()))} {
		l, err := Open(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, o := range l.LeftOut {
			if o.Reason == isEmpty && o.Example == "a/empty" {
				found = o.Count
			}
		}
		if found != 2 || len(l.Files) != 1 {
			t.Errorf("%s: %d empty folders among %v, and %d files", filepath.Base(name), found, l.LeftOut, len(l.Files))
		}
	}
}

func TestUnreadableFolder(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), dir); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "closed") {
		t.Errorf("error is %v", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{t.TempDir(), write(t, "x.zip", makeZip(t, nil)), write(t, "x.tar.gz", gz(t, makeTar(t)))} {
		if _, err := Open(ctx, name); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func FuzzTar(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "a.png", Size: 3, Mode: 0o644, Typeflag: tar.TypeReg})
	_, _ = io.WriteString(w, "abc")
	_ = w.Close()
	f.Add(b.Bytes())
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) { fuzzArchive(t, filepath.Join(dir, "f.tar"), data) })
}

func FuzzZip(f *testing.F) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, _ := z.Create("a.png")
	_, _ = io.WriteString(w, "abc")
	_ = z.Close()
	f.Add(b.Bytes())
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) { fuzzArchive(t, filepath.Join(dir, "f.zip"), data) })
}

// fuzzArchive lists an archive and reads its members: no path leaves it, no
// error is anything but the user's.
func fuzzArchive(t *testing.T, name string, data []byte) {
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := Open(context.Background(), name)
	if err != nil {
		if fault.Of(err) != fault.Usage {
			t.Fatalf("no fault of the user's: %v", err)
		}
		return
	}
	defer func() { _ = l.Close() }()
	for i := range l.Files {
		if !filepath.IsLocal(l.Files[i].Path) {
			t.Fatalf("%q leaves the archive", l.Files[i].Path)
		}
		if r, err := l.Files[i].Reader(); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<20))
			_ = r.Close()
		}
	}
}

// TestFanOfLinks: folders whose links lead to the next in two ways each make
// 2^40 paths.
func TestFanOfLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(i int) string { return filepath.Join(dir, fmt.Sprintf("d%d", i)) }
	for i := range 41 {
		if err := os.Mkdir(at(i), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			if err := os.Symlink(at(i+1), filepath.Join(at(i), name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := Open(context.Background(), dir); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "in more than 64 ways") {
		t.Errorf("%v", err)
	}
}

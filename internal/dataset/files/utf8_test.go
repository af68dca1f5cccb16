package files

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPathsAreUTF8: whatever bytes names are made of, paths can be written to a file
// that wants UTF-8. The names are Python's: b"caf\x82".decode("cp437") == "café".
func TestPathsAreUTF8(t *testing.T) {
	unicode := binary.LittleEndian.AppendUint16(nil, unicodePath)
	unicode = binary.LittleEndian.AppendUint16(unicode, uint16(5+len("é.png")))
	unicode = binary.LittleEndian.AppendUint32(append(unicode, 1), crc32.ChecksumIEEE([]byte("\xe9.png")))
	unicode = append(unicode, "é.png"...)
	var z bytes.Buffer
	w := zip.NewWriter(&z)
	for _, h := range []*zip.FileHeader{
		{Name: "caf\x82/\x81.png", NonUTF8: true}, {Name: "\xe9.png", NonUTF8: true, Extra: unicode},
		{Name: "дом.png"}, {Name: `windows\a.png`},
	} {
		if _, err := w.CreateHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "caf\xe9.png"), nil, 0o600); err != nil {
		t.Skipf("no such names here: %v", err)
	}
	for name, want := range map[string]string{
		write(t, "x.zip", z.Bytes()): "café/ü.png windows/a.png é.png дом.png",
		write(t, "x.tar", makeTar(t, &tar.Header{Name: "caf\xe9/a.png", Typeflag: tar.TypeReg, Format: tar.FormatGNU})): "caf%E9/a.png top/a-b/3.jpg top/a/1.png top/b/2.png top/readme.txt",
		dir: "caf%E9.png",
	} {
		l, err := Open(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range l.Files {
			got = append(got, f.Path)
			r, err := f.Reader()
			if err != nil || !utf8.ValidString(f.Path) {
				t.Errorf("%s: %q, %v", name, f.Path, err)
				continue
			}
			r.Close()
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
		l.Close()
	}
}

// TestSystemFilesAreLeftOut: thumbnails and bins hold images, but none of the set.
func TestSystemFilesAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	for _, p := range []string{"cat/1.jpg", "cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_S.jpg", "$RECYCLE.BIN/S-1/x.jpg", "Thumbs.db", ".git/a/b"} {
		at := filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Files) != 1 || len(l.LeftOut) != 1 || l.LeftOut[0].Count != 5 || l.LeftOut[0].Example != "$RECYCLE.BIN/S-1/x.jpg" {
		t.Errorf("%d files, %+v left out", len(l.Files), l.LeftOut)
	}
}

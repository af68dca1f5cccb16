package certificate

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/fault"
)

func folder(t *testing.T) string {
	t.Helper()
	dir, about := t.TempDir(), struct {
		Format string `json:"format"`
		SHA256 Hashes `json:"sha256"`
	}{Format, Hashes{}}
	for name, content := range map[string]string{"encoder.onnx": "a graph", "README.md": "words"} {
		about.SHA256.Add(name, []byte(content))
		write(t, filepath.Join(dir, name), []byte(content))
	}
	sealed, err := Seal(about)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, Name), sealed)
	return dir
}

func write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEveryChangedByteOfAnExportIsFound(t *testing.T) {
	dir := folder(t)
	if n, err := Folder(dir); n != 3 || err != nil {
		t.Fatalf("%d files, %v", n, err)
	}
	for _, name := range []string{Name, "encoder.onnx", "README.md"} {
		file := filepath.Join(dir, name)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			for _, flip := range []byte{1, 0x20, 0xff} {
				c := bytes.Clone(b)
				c[i] ^= flip
				write(t, file, c)
				if _, err := Folder(dir); fault.Of(err) != fault.Damaged {
					t.Errorf("%s, byte %d ^ %#x: %v", name, i, flip, err)
				}
				if err := Check(file, c, nil); name != Name && fault.Of(err) != fault.Damaged {
					t.Errorf("%s alone, byte %d ^ %#x: %v", name, i, flip, err)
				}
			}
		}
		write(t, file, b)
	}
	if err := os.Remove(filepath.Join(dir, "README.md")); err != nil {
		t.Fatal(err)
	}
	if _, err := Folder(dir); fault.Of(err) != fault.Damaged {
		t.Errorf("without a file: %v", err)
	}
}

func TestFilesThatNobodyVouchesFor(t *testing.T) {
	dir := folder(t)
	if err := Check(filepath.Join(dir, "mine.onnx"), nil, nil); err != nil {
		t.Errorf("a file that isn't named: %v", err)
	}
	if err := Check(filepath.Join(t.TempDir(), "encoder.onnx"), nil, nil); err != nil {
		t.Errorf("no certificate: %v", err)
	}
	write(t, filepath.Join(dir, Name), []byte(`{"format":"another program's"}`))
	if err := Check(filepath.Join(dir, "encoder.onnx"), nil, nil); err != nil {
		t.Errorf("another program's export.json: %v", err)
	}
	if n, err := Folder(t.TempDir()); n != 0 || err != nil {
		t.Errorf("no export: %d files, %v", n, err)
	}
}

// Certificates of version 1 without seals have the models' own hashes only.
func TestCertificatesWithoutSeals(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, Name), []byte(`{"format":"moncae.export","files":[{"name":"encoder.onnx","hash":"ab"}]}`))
	file := filepath.Join(dir, "encoder.onnx")
	if err := Check(file, nil, func() string { return "ab" }); err != nil {
		t.Error(err)
	}
	if err := Check(file, nil, func() string { return "cd" }); fault.Of(err) != fault.Damaged {
		t.Errorf("another graph: %v", err)
	}
}

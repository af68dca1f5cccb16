package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const reference = "../../../docs/reference"

func TestTheReferenceIsCurrent(t *testing.T) {
	fresh := t.TempDir()
	if err := write(fresh); err != nil {
		t.Fatal(err)
	}
	want, got := pages(t, fresh), pages(t, reference)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("docs/reference/%s is not what the commands say: run `make docs`", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok && name != "data.md" { // that page is written, not made
			t.Errorf("docs/reference/%s belongs to no command: run `make docs`", name)
		}
	}
	if len(want) < 5 {
		t.Errorf("only %d pages were made", len(want))
	}
}

func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

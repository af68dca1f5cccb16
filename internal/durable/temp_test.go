//go:build unix && !solaris && !aix

package durable

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// TestSweepStale leaves what a process writes at the time, and what only looks
// like it.
func TestSweepStale(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.arrow")
	for _, name := range []string{"a.arrow.tmp-1x", "b.arrow.tmp-1", "a.arrow.tmp-1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "a.arrow.tmp-22", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	folder, release, err := (FS{}).MkdirTemp(path)
	if err != nil {
		t.Fatal(err)
	}
	err = FS{}.Replace(path, func(w Writer) error {
		before := names(t, dir)
		if err := (FS{}).SweepStale(path); err != nil {
			return err
		}
		gone := slices.DeleteFunc(before, func(n string) bool { return slices.Contains(names(t, dir), n) })
		if !slices.Equal(gone, []string{"a.arrow.tmp-1", "a.arrow.tmp-22"}) {
			t.Errorf("swept are %v", gone)
		}
		_, err := w.Write([]byte("whole"))
		return err
	})
	if err != nil || read(t, path) != "whole" {
		t.Fatalf("%v, %q", err, read(t, path))
	}
	release()
	if err := (FS{}).SweepStale(path); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(names(t, dir), filepath.Base(folder)) {
		t.Error("a folder that was released stays")
	}
}

func TestReplaceRefusesWhatIsNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (FS{}).ReplaceBytes(path, []byte("x")); err == nil {
		t.Error("a pipe is replaced")
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("what was a pipe is %v (%v)", info, err)
	}
}

//go:build unix && !solaris && !aix

package durable

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"moncae/internal/fault"
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
	err := FS{}.Replace(path, func(w Writer) error {
		before := names(t, dir)
		if err := (FS{}).SweepStale(path); err != nil {
			return err
		}
		gone := slices.DeleteFunc(before, func(n string) bool { return slices.Contains(names(t, dir), n) })
		if !slices.Equal(gone, []string{"a.arrow.tmp-1"}) {
			t.Errorf("swept are %v", gone)
		}
		_, err := w.Write([]byte("whole"))
		return err
	})
	if err != nil || read(t, path) != "whole" {
		t.Fatalf("%v, %q", err, read(t, path))
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

// TestUmask: a new file has the permissions that the umask leaves, a replaced one
// those that it had.
func TestUmask(t *testing.T) {
	defer unix.Umask(unix.Umask(0o027))
	dir := t.TempDir()
	kept, made, place := filepath.Join(dir, "kept"), filepath.Join(dir, "made"), filepath.Join(dir, "folder")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := FS{}.Claim(place)
	if err == nil {
		err = errors.Join(p.WriteBytes("inner/file", nil), p.Commit(), p.Close())
	}
	if err := errors.Join(err, FS{}.ReplaceBytes(kept, nil), FS{}.ReplaceBytes(made, nil)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		kept: 0o600, made: 0o640, place: 0o750, filepath.Join(place, "inner"): 0o750, filepath.Join(place, "inner", "file"): 0o640,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, want %v", path, info.Mode().Perm(), want)
		}
	}
}

// TestOpenOwn: what lies elsewhere is not written to.
func TestOpenOwn(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	for name, make := range map[string]func(path string) error{
		"symbolic link":           func(path string) error { return os.Symlink(victim, path) },
		"hard link":               func(path string) error { return os.Link(victim, path) },
		"no regular file":         func(path string) error { return unix.Mkfifo(path, 0o600) },
		"is a symbolic link, and": func(path string) error { return os.Symlink(filepath.Join(dir, "nowhere"), path) },
	} {
		if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "log")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		_, err := FS{}.OpenLog(path, 0)
		if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if read(t, victim) != "precious" || slices.Contains(names(t, dir), "nowhere") {
			t.Errorf("%s: something was written elsewhere", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(dir, filepath.Join(dir, "folder")); err != nil {
		t.Fatal(err)
	}
	if err := (FS{}).OwnFolder(filepath.Join(dir, "folder")); fault.Of(err) != fault.Usage {
		t.Errorf("a link instead of a folder: %v", err)
	}
}

// TestPlaceIsOnes: a second writer is refused while the first is at work, and what
// a killed one left is taken over.
func TestPlaceIsOnes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	p, err := FS{}.Claim(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (FS{}).Claim(path); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second claim: %v", err)
	}
	if err := p.WriteBytes("half", []byte("x")); err != nil {
		t.Fatal(err)
	}
	p.release() // as the system does for a process that ends
	if p, err = (FS{}).Claim(path); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.WriteBytes("file", nil), p.Commit(), p.Close()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); !slices.Equal(got, []string{"file"}) {
		t.Errorf("the folder holds %v", got)
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"out"}) {
		t.Errorf("beside it: %v", got)
	}
	release, err := LockFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockFolder(path); fault.Of(err) != fault.Usage {
		t.Errorf("a second lock: %v", err)
	}
	release()
}

// TestPlaceAfterACrashBetweenTwoRenames: where names can't be exchanged, the old
// folder comes back.
func TestPlaceAfterACrashBetweenTwoRenames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.MkdirAll(filepath.Join(filepath.Dir(path), ".out"+TempMark+"place", "old", "precious"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := FS{}.Claim(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, path); !slices.Equal(got, []string{"precious"}) {
		t.Errorf("the folder holds %v", got)
	}
}

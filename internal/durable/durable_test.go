package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var errInjected = errors.New("injected")

// failAt makes the n-th step fail, and all after it where every is set.
func failAt(n int, every bool) FS {
	count := 0
	return FS{Fault: func(step, path string) error {
		count++
		if count == n || every && count > n {
			return fmt.Errorf("%s %s: %w", step, filepath.Base(path), errInjected)
		}
		return nil
	}}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReplaceIsWholeOrNotAtAll(t *testing.T) {
	for n := 1; ; n++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := (FS{}).ReplaceBytes(path, []byte("old")); err != nil {
			t.Fatal(err)
		}
		err := failAt(n, false).ReplaceBytes(path, []byte("the new content"))
		if err == nil {
			if n != 6 { // create, write, sync, rename, syncdir
				t.Errorf("Replace takes %d steps, want 5", n-1)
			}
			if got := read(t, path); got != "the new content" {
				t.Errorf("content %q", got)
			}
			return
		}
		if !errors.Is(err, errInjected) {
			t.Fatalf("step %d: %v", n, err)
		}
		if got := read(t, path); got != "old" && got != "the new content" {
			t.Errorf("step %d failed: content %q", n, got)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 {
			t.Errorf("step %d failed: the folder holds %v (%v)", n, entries, err)
		}
	}
}

func TestAppendFailureLeavesTheLogAsItWas(t *testing.T) {
	for n := 1; n <= 2; n++ { // write, sync
		path := filepath.Join(t.TempDir(), "log")
		l, err := FS{}.OpenLog(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Append([]byte("one\n")); err != nil {
			t.Fatal(err)
		}
		l.fs = failAt(n, false)
		if err := l.Append([]byte("second\n")); !errors.Is(err, errInjected) {
			t.Fatalf("step %d: %v", n, err)
		}
		if got := read(t, path); got != "one\n" {
			t.Errorf("after a failed append: %q", got)
		}
		if err := l.Append([]byte("three\n")); err != nil {
			t.Errorf("append after a failed one: %v", err)
		}
		if got := read(t, path); got != "one\nthree\n" {
			t.Errorf("content %q", got)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogThatCantBeMendedRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := FS{}.OpenLog(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	l.fs = failAt(1, true)
	first := l.Append([]byte("lost\n"))
	l.fs = FS{}
	if second := l.Append([]byte("more\n")); first == nil || second == nil {
		t.Errorf("appends after damage: %v, %v", first, second)
	}
}

func TestOpenLogCuts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte("whole\nto"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := FS{}.OpenLog(path, 6)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Append([]byte("next\n")), l.Close()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "whole\nnext\n" {
		t.Errorf("content %q", got)
	}
	if _, err := (FS{}).OpenLog(path, 99); err == nil {
		t.Error("a log shorter than it was is accepted")
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"keep", "front.json" + TempMark + "123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := (FS{}).Sweep(dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != "keep" {
		t.Errorf("left: %v (%v)", entries, err)
	}
}

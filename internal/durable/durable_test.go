package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"moncae/internal/fault"
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
	if err := os.MkdirAll(filepath.Join(dir, ".x"+TempMark+placeEnd, "new"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "mine"+TempMark+"1"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := (FS{}).Sweep(dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 || entries[0].Name() != "keep" {
		t.Errorf("left: %v (%v)", entries, err)
	}
}

// TestPlaceIsWholeOrNotAtAll fails each step of replacing a folder, and of making
// one where nothing is.
func TestPlaceIsWholeOrNotAtAll(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := t.TempDir()
			path := filepath.Join(dir, "folder")
			if !fresh {
				if err := errors.Join(os.Mkdir(path, 0o700), os.WriteFile(filepath.Join(path, "a"), []byte("old"), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			err := writeFolder(failAt(n, false), path, fresh)
			if err == nil {
				if n < 14 {
					t.Errorf("only %d steps were tried", n-1)
				}
				break
			}
			if !errors.Is(err, errInjected) {
				t.Fatalf("step %d: %v", n, err)
			}
			_, missing := os.Stat(path)
			switch {
			case fresh && missing != nil:
			case !fresh && read(t, filepath.Join(path, "a")) == "old":
			case read(t, filepath.Join(path, "a")) == "new" && read(t, filepath.Join(path, "b", "c")) == "more":
			default:
				t.Errorf("step %d (%v) left something else", n, err)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 1 {
				t.Errorf("step %d: the folder holds %v (%v)", n, entries, err)
			}
			if err := writeFolder(FS{}, path, false); err != nil || read(t, filepath.Join(path, "a")) != "new" {
				t.Errorf("step %d, then once more: %v", n, err)
			}
		}
	}
}

func writeFolder(fs FS, path string, fresh bool) (err error) {
	p, err := fs.Claim(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if err := errors.Join(p.WriteBytes("a", []byte("new")), p.WriteBytes("b/c", []byte("more"))); err != nil {
		return err
	}
	if fresh {
		return p.CommitNew()
	}
	return p.Commit()
}

// TestCommitNewOverwritesNothing, neither files nor folders with anything in them.
func TestCommitNewOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"", "inner"} {
		p, err := FS{}.Claim(filepath.Join(dir, "out"+name))
		if err != nil {
			t.Fatal(err)
		}
		precious := filepath.Join(dir, "out"+name, name)
		if err := errors.Join(p.WriteBytes(name, []byte("new")), os.MkdirAll(filepath.Dir(precious), 0o700), os.WriteFile(precious, []byte("old"), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := p.CommitNew(); fault.Of(err) != fault.Usage || read(t, precious) != "old" {
			t.Errorf("%q: %v", name, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFailuresThatAWriterDrops: the file is not replaced though the writer, as
// arrow-go's for Parquet does, goes on after an error or panics over it.
func TestFailuresThatAWriterDrops(t *testing.T) {
	for name, after := range map[string]func(){"goes on": func() {}, "panics": func() { panic("length 0") }} {
		path := filepath.Join(t.TempDir(), "file")
		fs := FS{Fault: func(step, _ string) error {
			if step == "write" {
				return errInjected
			}
			return nil
		}}
		write := func(w Writer) error {
			_, _ = w.Write(make([]byte, 1<<17))
			after()
			return nil
		}
		if err := fs.Replace(path, write); !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", name, err)
		}
		p, err := fs.Claim(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Write("", write); !errors.Is(err, errInjected) {
			t.Errorf("%s, in a place: %v", name, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind %v, %v", name, left, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a panic without a failed write is swallowed")
		}
	}()
	_ = FS{}.Replace(filepath.Join(t.TempDir(), "file"), func(Writer) error { panic("a bug") })
}

// A test may run as root, who may write anywhere.
func TestWhatMayNotBeWrittenIsBadUsage(t *testing.T) {
	disk := FS{Fault: func(step, path string) error {
		if step == "create" || step == "mkdir" {
			return &os.PathError{Op: "open", Path: path, Err: syscall.EACCES}
		}
		return nil
	}}
	path := filepath.Join(t.TempDir(), "new")
	if err := disk.ReplaceBytes(path, nil); fault.Of(err) != fault.Usage {
		t.Errorf("a file: %v", err)
	}
	if err := disk.Mkdir(path); fault.Of(err) != fault.Usage {
		t.Errorf("a folder: %v", err)
	}
	if _, err := disk.Claim(path); fault.Of(err) != fault.Usage {
		t.Errorf("a place: %v", err)
	}
	if err := (FS{}).ReplaceBytes(path, []byte("file")); err != nil {
		t.Fatal(err)
	}
	if err := (FS{}).ReplaceBytes(filepath.Join(path, "below"), nil); fault.Of(err) != fault.Usage {
		t.Errorf("below a file: %v", err)
	}
}

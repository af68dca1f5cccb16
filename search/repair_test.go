package search

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"moncae/internal/durable"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/internal/rundir"
)

func anyEngine(rundir.Manifest) error { return nil }

// Whatever byte of a run is changed, run.json's apart, the run is mended, goes on, and
// ends with the front and the weights that it had; what was set aside is there.
func TestDamagedRunsAreMended(t *testing.T) {
	original := smallRun(t)
	want := contents(t, original)
	tried, retrained := 0, 0
	for name, b := range want {
		if name == "run.json" || name == "lock" {
			continue
		}
		step := max(1, len(b)/6)
		if name == "journal.jsonl" {
			step = len(b) / 40
		}
		for at := 0; at < len(b); at += step {
			path := filepath.Join(t.TempDir(), "run")
			if err := os.CopyFS(path, os.DirFS(original)); err != nil {
				t.Fatal(err)
			}
			damaged := bytes.Clone(b)
			damaged[at] ^= 1 << (at % 8)
			if err := os.WriteFile(filepath.Join(path, name), damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := run.Verify(path); err == nil && at == len(b)-1 {
				continue // the journal's last byte: a torn line
			} else if fault.Of(err) != fault.Damaged {
				t.Fatalf("%s, byte %d: %v", name, at, err)
			}
			rep, err := run.Mend(path, durable.FS{}, anyEngine)
			if err != nil {
				t.Fatalf("%s, byte %d: %v", name, at, err)
			}
			if aside, err := os.ReadFile(filepath.Join(path, rep.Aside, name)); err != nil || !bytes.Equal(aside, damaged) {
				t.Fatalf("%s, byte %d: what was set aside: %v", name, at, err)
			}
			if _, err := run.Verify(path); err != nil {
				t.Fatalf("%s, byte %d, mended: %v", name, at, err)
			}
			s := resumed(t, path, Options{})
			s.options.Jobs = 1
			if _, err := s.Run(context.Background()); err != nil {
				t.Fatalf("%s, byte %d, resumed: %v", name, at, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			got := contents(t, path)
			for file, b := range want {
				if file != "journal.jsonl" && file != "lock" && !bytes.Equal(got[file], b) {
					t.Fatalf("%s, byte %d: %s is another one after the repair", name, at, file)
				}
			}
			tried++
			retrained += len(rep.Again)
		}
	}
	t.Logf("%d damaged runs, %d known candidates trained again", tried, retrained)
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"*", "candidates/*/*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil || info.IsDir() {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rel, _ := filepath.Rel(dir, name)
			files[filepath.ToSlash(rel)] = b
		}
	}
	return files
}

func TestRepairsThatAreRefused(t *testing.T) {
	path := smallRun(t)
	if rep, err := run.Mend(path, durable.FS{}, anyEngine); err != nil || rep.Aside != "" {
		t.Errorf("a sound run: %+v, %v", rep, err)
	}
	journal := filepath.Join(path, "journal.jsonl")
	b, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(journal, b, 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := errors.New("another engine")
	if _, err := run.Mend(path, durable.FS{}, func(rundir.Manifest) error { return elsewhere }); !errors.Is(err, elsewhere) {
		t.Errorf("on another engine: %v", err)
	}
	if now, err := os.ReadFile(journal); err != nil || !bytes.Equal(now, b) {
		t.Errorf("a refused repair changed the journal (%v)", err)
	}
	if err := os.WriteFile(filepath.Join(path, "run.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Mend(path, durable.FS{}, anyEngine); fault.Of(err) != fault.Damaged {
		t.Errorf("without a run.json: %v", err)
	}
}

// A look at test data stays counted, though its record is damaged.
func TestRepairForgetsNoLookAtTestData(t *testing.T) {
	path := smallRun(t)
	if n, err := rundir.NoteTest(path, "a command", durable.FS{}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	journal := filepath.Join(path, "journal.jsonl")
	b, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("a command"))] = 'b'
	if err := os.WriteFile(journal, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Mend(path, durable.FS{}, anyEngine); err != nil {
		t.Fatal(err)
	}
	if r, err := run.Open(path); err != nil || r.TestOpenings != 1 {
		t.Errorf("%v openings, %v", r, err)
	}
}

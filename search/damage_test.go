package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/task"
)

// smallRun is a small run, complete.
func smallRun(t testing.TB) string {
	t.Helper()
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.Population, c.Generations, c.Epochs, c.Batch, c.Finetune.Epochs, c.Finetune.Trial = 3, 2, 2, 8, 3, 1
	path := filepath.Join(t.TempDir(), "run")
	s, err := Create(path, c, images(60), Options{Engine: fakeEngine{}, Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.options.Trainer = task.NewHere(fakeEngine{}, fakeFit)
	if _, err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// resealed is a journal whose records went through change, with right checksums.
func resealed(t testing.TB, journal []byte, change func(seq int, kind string, record map[string]any)) []byte {
	t.Helper()
	var out bytes.Buffer
	for seq, line := range bytes.Split(bytes.TrimSuffix(journal, []byte("\n")), []byte("\n")) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		kind, _ := record["kind"].(string)
		delete(record, "crc32c")
		change(seq, kind, record)
		b, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		b = b[:len(b)-1]
		fmt.Fprintf(&out, "%s,\"crc32c\":\"%08x\"}\n", b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	}
	return out.Bytes()
}

// Content that is not a run's, behind right checksums, is damage: never a panic, and
// nothing that counts as sound.
func TestInvalidContentIsDamage(t *testing.T) {
	path := smallRun(t)
	journal := filepath.Join(path, "journal.jsonl")
	original, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := run.Verify(path); err != nil {
		t.Fatalf("%v: %v", h, err)
	}
	for _, c := range []struct {
		name, kind, field string
		value             any
	}{
		{"no network", "candidate", "network", nil},
		{"a latent of 0", "candidate", "latent", []int{0, 1, 1}},
		{"a latent that overflows", "candidate", "latent", []int{1 << 30, 1 << 30, 1 << 30}},
		{"generation −5", "candidate", "generation", -5},
		{"a generation's number", "generation", "generation", 7},
		{"an unknown population", "generation", "population", []string{"g9-9"}},
		{"no identity", "candidate", "identity", ""},
		{"another id", "candidate", "id", "../../x"},
		{"an id twice", "candidate", "id", "g0-0"},
		{"both ends", "candidate", "failure", "diverged"},
		{"another's network", "candidate", "network", map[string]any{"path": "run.json", "sha256": "00"}},
		{"no result", "candidate", "result", nil},
		{"no objectives", "candidate", "result", map[string]any{"epochs": 1}},
		{"no genome", "candidate", "genome", nil},
		{"a genome without blocks", "candidate", "genome", map[string]any{"blocks": []any{}, "optimizer": "adam", "schedule": "constant"}},
		{"a recipe of nothing", "candidate", "recipe", map[string]any{}},
		{"parameters below 0", "candidate", "params", -1},
		{"steps below 0", "candidate", "steps", -1},
		{"finetuning of nobody", "finetune", "id", "g7-7"},
		{"finetuning of round −1", "finetune", "round", -1},
		{"text for a number", "generation", "hypervolume", "much"},
	} {
		changed := false
		b := resealed(t, original, func(_ int, kind string, r map[string]any) {
			data := r["data"].(map[string]any)
			event, _ := data["event"].(map[string]any)
			if kind != c.kind || changed && c.name != "an id twice" || c.name == "no result" && event["failure"] != nil || event["result"] == nil && kind == "candidate" {
				return
			}
			changed = true
			if event[c.field] = c.value; c.value == nil {
				delete(event, c.field)
			}
		})
		if !changed {
			t.Fatalf("%s: no record of kind %s", c.name, c.kind)
		}
		if err := os.WriteFile(journal, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, open := range []func() error{
			func() error { _, err := run.Verify(path); return err },
			func() error { _, err := Open(path); return err },
			func() error {
				s, err := Resume(path, images(60), Options{Engine: fakeEngine{}})
				if err == nil {
					err = s.Close()
				}
				return err
			},
		} {
			if err := open(); fault.Of(err) != fault.Damaged {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

// Every changed byte of a run's own files is found.
func TestChangedBytesOfARunAreFound(t *testing.T) {
	path := smallRun(t)
	var files []string
	if err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && e.Name() != "lock" {
			files = append(files, file)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Of what a hash covers, some bytes stand for all.
		step := 1 + len(b)/60
		for i := 0; i < len(b); i += step {
			tried++
			c := bytes.Clone(b)
			if c[i] ^= 1 << (i % 8); i == len(b)-1 && strings.HasSuffix(file, "journal.jsonl") {
				continue // without its end, the last line is one that a crash tore
			}
			if err := os.WriteFile(file, c, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := run.Verify(path); fault.Of(err) != fault.Damaged {
				t.Errorf("%s, byte %d of %d: %v", file, i, len(b), err)
			}
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d changed bytes of %d files", tried, len(files))
}

// FuzzRun changes the content of a record behind a right checksum, and reads the run,
// checks it and goes on with it.
func FuzzRun(f *testing.F) {
	path := smallRun(f)
	journal := filepath.Join(path, "journal.jsonl")
	original, err := os.ReadFile(journal)
	if err != nil {
		f.Fatal(err)
	}
	for _, value := range []string{`null`, `-5`, `0`, `1e300`, `""`, `"g0-0"`, `[]`, `{}`, `[[0]]`, `true`} {
		f.Add(uint(3), uint(7), value)
	}
	set := images(60)
	f.Fuzz(func(t *testing.T, line, place uint, text string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		lines := uint(bytes.Count(original, []byte("\n")))
		b := resealed(t, original, func(seq int, _ string, r map[string]any) {
			if uint(seq) == line%lines {
				left := int(place % 200)
				r["data"] = replaced(r["data"], &left, value)
			}
		})
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(dir, os.DirFS(path)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, verified := run.Verify(dir)
		expected(t, verified)
		s, err := Resume(dir, set, Options{Engine: fakeEngine{}, Jobs: 1})
		if err != nil {
			expected(t, err)
			return
		}
		s.options.Trainer = task.NewHere(fakeEngine{}, fakeFit)
		_, err = s.Run(context.Background())
		expected(t, errors.Join(err, s.Close()))
	})
}

func expected(t *testing.T, err error) {
	t.Helper()
	if s := fault.Of(err); err != nil && s != fault.Damaged && s != fault.Usage {
		t.Error(err)
	}
}

// replaced is v with value in its left-th place, counted depth first.
func replaced(v any, left *int, value any) any {
	if *left--; *left < 0 {
		*left = 1 << 30
		return value
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			v[k] = replaced(v[k], left, value)
		}
	case []any:
		for i := range v {
			v[i] = replaced(v[i], left, value)
		}
	}
	return v
}

// A run is sound at every moment of a search that is at work on it.
func TestARunIsSoundWhileItIsSearched(t *testing.T) {
	c, err := Preset("quick")
	if err != nil {
		t.Fatal(err)
	}
	c.Population, c.Generations, c.Epochs, c.Batch, c.Finetune.Epochs, c.Finetune.Trial = 4, 4, 3, 8, 3, 1
	path := filepath.Join(t.TempDir(), "run")
	s, err := Create(path, c, images(60), Options{Engine: fakeEngine{}, Jobs: 2, CheckpointEvery: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.options.Trainer = task.NewHere(fakeEngine{}, fakeFit)
	done := make(chan error, 1)
	go func() {
		_, err := s.Run(context.Background())
		done <- errors.Join(err, s.Close())
	}()
	looks, records := 0, map[int]bool{}
	for ended := false; !ended; looks++ {
		select {
		case err := <-done:
			if ended = true; err != nil {
				t.Error(err)
			}
		default:
		}
		h, err := run.Verify(path)
		if err != nil {
			t.Fatalf("look %d: %v", looks, err)
		}
		records[h.Records] = true
	}
	if len(records) < 3 {
		t.Errorf("%d looks saw %d states of the run", looks, len(records))
	}
}

package search

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"moncae/internal/engine/ref"
	"moncae/internal/fault"
	"moncae/internal/run"
	"moncae/search/genome"
)

// A search that is interrupted in the middle of trainings, finetunings too, goes on
// from their checkpoints, and ends with the same front.
func TestInterruptedCandidatesGoOn(t *testing.T) {
	c := config(t)
	c.Space = genome.Space{Name: genome.Extended, MaxBlocks: 2, MaxFilters: 4}
	c.Population, c.Generations, c.Epochs, c.Batch, c.Finetune.Epochs = 2, 1, 4, 2, 4
	set := images(200)
	search := func(path string, s *Study, err error, calls int) error {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		s.options.Observer = func(e Event) {
			if _, ok := e.(Trained); ok {
				if calls--; calls == 0 {
					cancel()
				}
			}
		}
		_, err = s.Run(ctx)
		return errors.Join(err, s.Close())
	}
	o := Options{Engine: ref.New(), Jobs: 1, CheckpointEvery: time.Hour}
	whole := filepath.Join(t.TempDir(), "whole")
	s, err := Create(whole, c, set, o)
	if err := search(whole, s, err, 0); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run")
	s, err = Create(path, c, set, o)
	interrupted, checkpoints := 0, 0
	for ; ; interrupted++ {
		err := search(path, s, err, 4)
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) || interrupted > 50 {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(path, "candidates", "*", "*.checkpoint"))
		checkpoints += len(files)
		if _, err := run.Verify(path); err != nil {
			t.Fatal(err)
		}
		for i, file := range files {
			damage(t, file, i+interrupted)
		}
		s, err = Resume(path, set, o)
		if err != nil {
			t.Fatal(err)
		}
	}
	if frontFile(t, path) != frontFile(t, whole) {
		t.Error("the front is another one than without interruptions")
	}
	if left, _ := filepath.Glob(filepath.Join(path, "candidates", "*", "*.checkpoint")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if interrupted < 3 || checkpoints < 3 {
		t.Errorf("%d interruptions, %d checkpoints", interrupted, checkpoints)
	}
}

// damage changes bytes of a checkpoint, which must be found, and puts them back.
func damage(t *testing.T, file string, seed int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := seed % 97; i < len(b); i += 97 {
		b[i] ^= 4
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := run.Verify(filepath.Join(filepath.Dir(file), "../..")); fault.Of(err) != fault.Damaged {
			t.Fatalf("%s, byte %d: %v", file, i, err)
		}
		b[i] ^= 4
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

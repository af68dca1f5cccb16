package search

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moncae/internal/engine"
	"moncae/internal/fault"
	"moncae/internal/rundir"
	"moncae/search/algorithm"
)

// A process that is killed leaves a beginning of the journal; every beginning
// that ends with a record leads to the same front.
func TestResumeFromEveryRecord(t *testing.T) {
	for name, every := range map[string]int{algorithm.Moncae: 1, algorithm.EHVI: 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			c.SetAlgorithm(name)
			c.Population, c.Generations = 4, 3
			resumeFrom(t, c, every)
		})
	}
}

func resumeFrom(t *testing.T, c Config, every int) {
	path := filepath.Join(t.TempDir(), "run")
	want := complete(t, create(t, path, c, Options{Jobs: 2}))
	journal, err := os.ReadFile(filepath.Join(path, rundir.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(journal, []byte("\n"))
	for n := 2; n < len(lines); n += every {
		torn := append(bytes.Join(lines[:n], nil), `{"seq":`...)
		if err := os.WriteFile(filepath.Join(path, rundir.JournalFile), torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := complete(t, resumed(t, path, Options{Jobs: 2})); got != want {
			t.Fatalf("resumed after record %d (%s):\n%s\nwant\n%s", n, lines[n-1], got, want)
		}
		if _, err := rundir.Verify(path); err != nil {
			t.Fatalf("resumed after record %d: %v", n, err)
		}
	}
}

func TestCancelledAgainAndAgain(t *testing.T) {
	t.Parallel()
	c := config(t)
	want := complete(t, create(t, filepath.Join(t.TempDir(), "run"), c, Options{}))
	path := filepath.Join(t.TempDir(), "run")
	s := create(t, path, c, Options{})
	for sessions := 1; ; sessions++ {
		ctx, cancel := context.WithCancel(context.Background())
		finished := 0
		s.options.Observer = func(e Event) {
			if _, ok := e.(CandidateFinished); ok {
				if finished++; finished == 5 {
					cancel()
				}
			}
		}
		_, err := s.Run(ctx)
		cancel()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			if sessions < 3 {
				t.Errorf("only %d sessions", sessions)
			}
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		s = resumed(t, path, Options{})
	}
	if got := frontFile(t, path); got != want {
		t.Errorf("interrupted:\n%s\nuninterrupted:\n%s", got, want)
	}
}

func TestResumeNeedsTheSameData(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	complete(t, create(t, path, config(t), Options{}))
	_, err := Resume(path, images(59), Options{Engine: fakeEngine{}})
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "fingerprint") {
		t.Errorf("%v", err)
	}
	// The lock was given back.
	complete(t, resumed(t, path, Options{}))
}

// otherEngine is the fake engine on another device.
type otherEngine struct{ fakeEngine }

func (otherEngine) Info() engine.Info {
	i := fakeEngine{}.Info()
	i.Model, i.ISA, i.Workers = "another", "wider", 5
	return i
}

// coarseEngine is the fake engine on a device that has bfloat16 too.
type coarseEngine struct{ fakeEngine }

func (coarseEngine) Info() engine.Info {
	i := fakeEngine{}.Info()
	i.Precisions = append(i.Precisions, engine.BFloat16)
	return i
}

func TestAutomaticPrecisionIsThatOfTheDeviceWhereTheRunBegan(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	c := config(t)
	c.Precision = engine.Auto
	s := create(t, path, c, Options{Engine: coarseEngine{}})
	front, err := s.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if r := open(t, path); r.Config.Precision != engine.BFloat16 {
		t.Errorf("run.json has precision %s", r.Config.Precision)
	}
	if _, err := Resume(path, images(60), Options{Engine: fakeEngine{}}); fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "precision bf16") {
		t.Errorf("on a device without it: %v", err)
	}
	s = resumed(t, path, Options{Elsewhere: true})
	if _, err := s.Finetune(t.Context(), []string{front.Members[0].ID}, 5, nil); err != nil {
		t.Errorf("finetuning elsewhere: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestResumeKeepsTheEngineOrRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run")
	if err := create(t, path, config(t), Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	began, err := RecordedEngine(path)
	if want := (engine.Class{Engine: "fake", Precision: engine.Float32}); err != nil || began != want {
		t.Fatalf("recorded is %+v (%v), want %+v", began, err, want)
	}
	s, err := Resume(path, images(60), Options{Engine: otherEngine{}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Run(t.Context())
	if fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), "here another; instruction set , here wider") {
		t.Errorf("on another device: %v", err)
	}
	if early := CheckEngine(path, otherEngine{}.Info()); early == nil || err == nil || early.Error() != err.Error() {
		t.Errorf("before the data are read it is %v", early)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	complete(t, resumed(t, path, Options{}))
}
